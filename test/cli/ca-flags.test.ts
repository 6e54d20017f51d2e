import { execFileSync } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { createAuthority } from '../../src/pki/authority.ts';
import { fixture } from '../unit/pki/certificates.ts';
import { contents, folder } from '../unit/project/folder.ts';
import { apisvc, type Ran, sampleProject } from './apisvc.ts';

/** init with an existing CA. */

const day = 86_400_000;
const passphrase = 'correct horse';
let cwd: string;

/** Creates a CA in ca/, with a plain and an encrypted key. */
beforeEach(async () => {
  cwd = folder();
  mkdirSync(join(cwd, 'ca'));
  const made = await createAuthority({ commonName: 'Company CA', keyType: 'ecdsa-p256', lifetimeMs: 400 * day, now: new Date() });
  const key = createPrivateKey(made.key.reveal());
  writeFileSync(join(cwd, 'ca/ca.crt'), made.certificates);
  writeFileSync(join(cwd, 'ca/ca.key'), made.key.reveal());
  writeFileSync(join(cwd, 'ca/encrypted.key'), key.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase }));
  writeFileSync(join(cwd, 'ca/other.key'), fixture('key-sec1.pem'));
});

const init = (key: string, flags: readonly string[] = [], env: Record<string, string> = {}): Promise<Ran> =>
  apisvc(['init', 'demo', '--preset', 'sample-apiserver', '--yes', '--ca-cert', 'ca/ca.crt', '--ca-key', key, ...flags], { cwd, env });

const refused = ({ code, stdout, stderr }: Ran, message: RegExp | string): void => {
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(/^error: [^\n]+\n(fix: [^\n]+\n)?$/);
  expect(stderr).toMatch(message);
  expect(readdirSync(cwd)).not.toContain('demo');
};

test('issues the certificate, and does not copy the key of the CA', async () => {
  expect(await init('ca/ca.key')).toMatchObject({ code: 0, stderr: '' });
  expect(contents(join(cwd, 'demo/certs'))).toEqual(['.gitignore', 'ca.crt', 'tls.crt', 'tls.key']);
  expect(readFileSync(join(cwd, 'demo/certs/ca.crt'), 'utf8')).toBe(readFileSync(join(cwd, 'ca/ca.crt'), 'utf8'));
  expect(readFileSync(join(cwd, 'demo/apisvc.yaml'), 'utf8')).toMatch(/^ +issuer:\n +# .*\n +type: ca\n +keyType:/m);
});

test.each([['--ca-lifetime', '5y'], ['--no-name-constraints']])('settings of a new CA are refused: %s', async (flag, ...value) => {
  refused(await init('ca/ca.key', [flag, ...value]), `error: ${flag} has no effect with --ca-cert: the CA already exists\n`);
});

describe('in a project with a self-signed CA', () => {
  const given = ['--ca-cert', 'ca/ca.crt', '--ca-key', 'ca/ca.key'];
  const files = (): string[] => contents(join(cwd, 'demo/certs'));

  test('is refused if apisvc.yaml has issuer: self-signed', async () => {
    const dir = await sampleProject(cwd);
    const before = readFileSync(join(dir, 'certs/ca.crt'), 'utf8');
    expect(await apisvc(['init', 'demo', '--force-keys', ...given], { cwd })).toEqual({
      code: 1,
      stdout: '',
      stderr:
        'error: --ca-cert needs the issuer type "ca", but demo/apisvc.yaml has "self-signed"\n' +
        'fix: In apisvc.yaml, set spec.certificates.issuer to {type: ca}, or replace the whole file with --force.\n',
    });
    expect(readFileSync(join(dir, 'certs/ca.crt'), 'utf8')).toBe(before);
    expect(files()).toContain('ca.key');
  });

  test('removes the key of the replaced CA', async () => {
    await sampleProject(cwd);
    const ran = await init('ca/ca.key', ['--force', '--force-keys']);
    expect(ran).toMatchObject({ code: 0, stderr: 'removed demo/certs/ca.key, the key of the replaced CA\n' });
    expect(files()).toEqual(['.gitignore', 'ca.crt', 'tls.crt', 'tls.key']);
    expect(existsSync(join(cwd, 'ca/ca.key'))).toBe(true);
    expect(await apisvc(['init', 'demo', '--force-keys', ...given], { cwd })).toMatchObject({ code: 0, stderr: '' });
  });

  test('keeps the key if it is the same CA', async () => {
    const dir = await sampleProject(cwd);
    const own = ['--ca-cert', 'demo/certs/ca.crt', '--ca-key', 'demo/certs/ca.key'];
    const flags = ['--preset', 'sample-apiserver', '--yes', '--force', '--force-keys'];
    const before = readFileSync(join(dir, 'certs/ca.key'), 'utf8');
    expect(await apisvc(['init', 'demo', ...flags, ...own], { cwd })).toMatchObject({ code: 0, stderr: '' });
    expect(readFileSync(join(dir, 'certs/ca.key'), 'utf8')).toBe(before);
  });
});

describe('an encrypted key', () => {
  test.each([
    ['a file', ['--ca-key-passphrase-file', 'pass.txt'], {}],
    ['an environment variable', ['--ca-key-passphrase-env', 'CA_PASS'], { CA_PASS: passphrase }],
  ])('is opened with a passphrase from %s', async (_, flags, env) => {
    writeFileSync(join(cwd, 'pass.txt'), `${passphrase}\n`);
    expect(await init('ca/encrypted.key', flags, env)).toMatchObject({ code: 0, stderr: '' });
    expect(existsSync(join(cwd, 'demo/certs/tls.crt'))).toBe(true);
  });

  test('with a wrong passphrase, which is not shown', async () => {
    const ran = await init('ca/encrypted.key', ['--ca-key-passphrase-env', 'CA_PASS'], { CA_PASS: 'wrong-secret' });
    refused(ran, 'wrong passphrase for the private key');
    expect(ran.stderr).not.toContain('wrong-secret');
  });

  test('without a passphrase or a prompt', async () => {
    refused(
      await init('ca/encrypted.key'),
      /^error: ca\/encrypted\.key: the private key is encrypted and needs a passphrase\nfix: Add --ca-key-passphrase-file FILE or --ca-key-passphrase-env NAME\.\n/,
    );
  });

  test('with a variable that is not set, or a file that does not exist', async () => {
    refused(await init('ca/encrypted.key', ['--ca-key-passphrase-env', 'CA_PASS']), 'environment variable CA_PASS is not set');
    refused(await init('ca/encrypted.key', ['--ca-key-passphrase-file', 'none']), /failed to read none: no such file or directory/);
  });
});

describe('is refused when', () => {
  test.each([
    [
      'the key belongs to another CA',
      'ca/other.key',
      [],
      /ca\/other\.key: the private key does not match the certificate \(CN=Company CA\)/,
    ],
    ['a certificate is given as the key', 'ca/ca.crt', [], 'ca/ca.crt: expected a private key, found a certificate'],
    [
      'it expires before the certificate would',
      'ca/ca.key',
      ['--lifetime', '500d'],
      /^error: the CA CN=Company CA expires on [-0-9]+, before the new certificate would/,
    ],
    ['the key does not exist', 'ca/none.key', [], /failed to read ca\/none\.key: no such file or directory/],
  ])('%s', async (_, key, flags, message) => {
    refused(await init(key, flags), message);
  });

  test('a key is given as the certificate', async () => {
    copyFileSync(join(cwd, 'ca/ca.key'), join(cwd, 'ca/ca.crt'));
    refused(await init('ca/ca.key'), 'ca/ca.crt: expected a certificate, found a private key');
  });

  test('--ca-key is missing', async () => {
    const half = ['init', 'demo', '--preset', 'sample-apiserver', '--yes', '--ca-cert', 'ca/ca.crt'];
    refused(await apisvc(half, { cwd }), '--ca-cert needs --ca-key');
  });
});

describe('a CA that cannot sign', () => {
  /** Creates ca/made.crt and ca/made.key with openssl. */
  const make = (key: string, ...extensions: readonly string[]): void => {
    const at = (name: string): string => join(cwd, 'ca', name);
    execFileSync('sh', ['-c', `openssl ${key} -out "${at('made.key')}"`], { stdio: 'ignore' });
    const request = ['req', '-x509', '-new', '-key', at('made.key'), '-subj', '/CN=made', '-days', '30', '-out', at('made.crt')];
    execFileSync('openssl', [...request, ...extensions.flatMap((extension) => ['-addext', extension])], { stdio: 'ignore' });
  };
  const made = (...flags: readonly string[]): Promise<Ran> =>
    apisvc(['init', 'demo', '--preset', 'sample-apiserver', '--yes', '--ca-cert', 'ca/made.crt', '--ca-key', 'ca/made.key', ...flags], {
      cwd,
    });
  const ecdsa = 'ecparam -genkey -name prime256v1 -noout';

  test('because its RSA key has less than 2048 bits', async () => {
    make('genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024');
    refused(
      await made(),
      /^error: ca\/made\.crt: the key of CN=made is too short: rsa-1024\nfix: Use a CA with an RSA key of at least 2048/,
    );
  });

  test('because it is not a CA: one error', async () => {
    make(ecdsa, 'basicConstraints=critical,CA:FALSE', 'keyUsage=digitalSignature');
    refused(await made(), /^error: ca\/made\.crt: CN=made is not a CA: [^\n]+\nfix: Use the certificate of a CA: /);
  });

  test('for a year, and the lifetime of the fix works', async () => {
    make(ecdsa);
    refused(await made(), /^error: the CA CN=made expires on [^\n]+\nfix: Use a CA that expires later, or add: --lifetime 29d\n/);
    expect(await made('--lifetime', '29d')).toMatchObject({ code: 0, stderr: '' });
    // The flag would not change a project that exists.
    const file = join(cwd, 'demo', 'apisvc.yaml');
    writeFileSync(file, readFileSync(file, 'utf8').replace('lifetime: 29d', 'lifetime: 365d'));
    const again = ['init', 'demo', '--yes', '--force-keys', '--ca-cert', 'ca/made.crt', '--ca-key', 'ca/made.key'];
    expect((await apisvc(again, { cwd })).stderr).toMatch(
      /\nfix: Use a CA that expires later, or set spec\.certificates\.lifetime in demo\/apisvc\.yaml to at most 29d\.\n$/,
    );
  });

  test('because its key is an Ed25519 key in OpenSSH format: the command for a new CA works', async () => {
    writeFileSync(join(cwd, 'ca/ssh key'), fixture('key-openssh.pem'));
    const { code, stderr } = await init('ca/ssh key');
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringMatching(
        /^error: ca\/ssh key: .*\nfix: .*: ssh-keygen -p -m PKCS8 -f 'ca\/ssh key'\nssh-keygen cannot convert an Ed25519 key\. Create a new CA instead: openssl .*\n$/,
      ),
    });
    const command = stderr.match(/openssl .*/)?.[0] ?? '';
    execFileSync('sh', ['-c', command], { cwd, stdio: 'ignore' });
    const args = ['init', 'demo', '--preset', 'sample-apiserver', '--yes', '--ca-cert', 'new-ca.crt', '--ca-key', 'new-ca.key'];
    expect(await apisvc(args, { cwd })).toMatchObject({ code: 0, stderr: '' });
  });

  test('because the passphrase is wrong', async () => {
    writeFileSync(join(cwd, 'phrase'), 'wrong\n');
    refused(await init('ca/encrypted.key', ['--ca-key-passphrase-file', 'phrase']), /\nfix: Check the passphrase\. /);
    refused(await init('ca/encrypted.key', ['--ca-key-passphrase-file', 'none']), /\nfix: Check the path\.\n/);
  });
});
