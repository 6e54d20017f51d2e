import { execFileSync } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fixture } from '../unit/pki/certificates.ts';
import { sharedFolder } from '../unit/project/folder.ts';
import { apisvc, sampleProject } from './apisvc.ts';

/** `--keys` of register and rotate, as far as it needs no cluster. */

const cwd = sharedFolder();
const keys = join(cwd, 'keys');
const outputs: string[] = [];
let dir: string;
let other: string;

const read = (...path: string[]): string => readFileSync(join(...path), 'latin1');

/** Runs a command in the project, which has no private keys. */
async function run(args: readonly string[], input = '') {
  const ran = await apisvc(args, { cwd: dir, input });
  outputs.push(ran.stdout + ran.stderr);
  return ran;
}
const register = (from: string, input?: string) => run(['register', '--dry-run=client', '--keys', from], input);

beforeAll(async () => {
  dir = await sampleProject(cwd);
  other = await sampleProject(cwd, 'other');
  mkdirSync(keys);
  for (const name of ['tls.key', 'ca.key']) renameSync(join(dir, 'certs', name), join(keys, name));
});

afterAll(() => {
  const bodies = [keys, join(other, 'certs')]
    .flatMap((where) => ['tls.key', 'ca.key'].map((name) => read(where, name)))
    .flatMap((pem) => pem.split('\n').filter((line) => line !== '' && !line.startsWith('-----')));
  // The first bytes only tell the type of the key.
  const parts = bodies.map((line) => line.slice(-24));
  expect(parts.filter((part) => outputs.some((output) => output.includes(part)))).toEqual([]);
  expect(outputs.length).toBeGreaterThan(10);
  expect(readdirSync(join(dir, 'certs')).sort()).toEqual(['.gitignore', 'ca.crt', 'tls.crt']);
});

test('a directory gives the serving key, and only its own file is read', async () => {
  const { code, stdout, stderr } = await register(keys);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain('secret/wardle/api-tls would be applied');
});

test('a mounted Secret is a directory of links, and its open mode is a note', async () => {
  const mount = join(cwd, 'mount');
  mkdirSync(join(mount, '..2026_11_28'), { recursive: true });
  cpSync(join(keys, 'tls.key'), join(mount, '..2026_11_28', 'tls.key'));
  symlinkSync('..2026_11_28', join(mount, '..data'));
  symlinkSync('..data/tls.key', join(mount, 'tls.key'));
  expect(await register(mount)).toMatchObject({ code: 0, stderr: '' });
  chmodSync(join(mount, 'tls.key'), 0o644);
  const note = `    note: ${join(mount, 'tls.key')}: every user on this machine can read the private key (mode 0644)\n`;
  expect(await register(mount)).toMatchObject({ code: 0, stderr: note });
});

test('standard input gives the keys in any order, with other text around them', async () => {
  const [tls, ca] = [read(keys, 'tls.key'), read(keys, 'ca.key')];
  for (const input of [tls, tls + ca, `# keys\n${ca}${read(dir, 'certs', 'ca.crt')}\n${tls}`]) {
    expect(await register('-', input)).toMatchObject({ code: 0, stderr: '' });
  }
});

test.each([
  ['another key', () => read(other, 'certs', 'tls.key'), 'the private key on line 1 matches neither certs/tls.crt nor certs/ca.crt'],
  [
    'a key that belongs to no certificate, after one that does',
    () => read(keys, 'tls.key') + read(other, 'certs', 'ca.key'),
    'the private key on line 6 matches neither certs/tls.crt nor certs/ca.crt',
  ],
  ['only the key of the CA', () => read(keys, 'ca.key'), 'found no private key that matches certs/tls.crt'],
  ['nothing', () => '', 'no private key found: the input is empty'],
  ['no key', () => 'permission denied\n', 'no private key found'],
  [
    'a key without its line breaks',
    () => read(keys, 'tls.key').replaceAll('\n', ' '),
    'the private key on line 1 is damaged: its line breaks are missing: text follows on the -----BEGIN line',
  ],
  [
    'an indented key',
    () => `key: |\n  ${read(keys, 'tls.key').replaceAll('\n', '\n  ')}`,
    'the private key on line 2 is damaged: its -----BEGIN line is indented',
  ],
])('standard input with %s is refused', async (_, input, message) => {
  const { code, stdout, stderr } = await register('-', input());
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(/^error: standard input: [^\n]+\nfix: [^\n]+\n$/);
  expect(stderr).toContain(`error: standard input: ${message}\n`);
});

test('the way to give a key that cannot be read is a command for that key', async () => {
  const encrypted = join(cwd, 'encrypted');
  mkdirSync(encrypted);
  const key = createPrivateKey(read(keys, 'tls.key'));
  const pem = key.export({ format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'secret' }) as string;
  writeFileSync(join(encrypted, 'tls.key'), pem);
  const way = (file: string) => `fix: Pipe the decrypted key to apisvc: openssl pkey -in ${file} | apisvc register --keys -\n`;
  expect((await register(encrypted)).stderr).toContain(way(join(encrypted, 'tls.key')));
  expect((await register('-', pem)).stderr).toContain(way('FILE'));
  expect((await register('-', read(keys, 'tls.key').replaceAll('\n', ' '))).stderr).toContain(
    `with its line breaks, for example: printf '%s' "$TLS_KEY" | apisvc register --keys -\n`,
  );
  expect((await register('-')).stderr).toContain(
    'fix: Check the command before the pipe. In CI, check that the job can read the secret.\n',
  );
});

test('a key of a type that TLS does not use is refused with a fix for that key', async () => {
  const from = join(cwd, 'types');
  const file = join(from, 'tls.key');
  mkdirSync(from);
  execFileSync('openssl', ['genpkey', '-algorithm', 'ed448', '-out', file], { stdio: 'ignore' });
  const matching = 'Pass the private key that matches certs/tls.crt.';
  expect(await register(from)).toMatchObject({
    code: 2,
    stderr: `error: ${file}: unsupported type of private key for serving certificates: ed448\nfix: ${matching}\n`,
  });
  writeFileSync(file, fixture('key-openssh.pem'));
  const convert = (name: string) =>
    `fix: To convert an RSA or ECDSA key: ssh-keygen -p -m PKCS8 -f ${name}\nssh-keygen cannot convert an Ed25519 key. ${matching}\n`;
  expect((await register(from)).stderr).toContain(convert(file));
  expect((await register('-', read(file))).stderr).toContain(convert('FILE'));
});

test('a directory without the key, or with another one, is refused instead of using the cluster', async () => {
  const empty = join(cwd, 'empty');
  mkdirSync(empty);
  const file = join(cwd, 'file');
  writeFileSync(file, '');
  const refusals = [
    [empty, `${empty}/tls.key not found`],
    [join(cwd, 'nope'), `directory ${cwd}/nope does not exist`],
    [file, `${file} is not a directory`],
    [join(other, 'certs'), `${other}/certs/tls.key: the private key does not match certs/tls.crt`],
  ] as const;
  for (const [from, message] of refusals) {
    const { code, stderr } = await register(from);
    expect({ code, stderr: stderr.split('\n')[0] }).toEqual({ code: 2, stderr: `error: ${message}` });
  }
});

test('rotate takes the key of the CA, and refuses one of another CA', async () => {
  const wrong = join(cwd, 'wrong');
  mkdirSync(wrong);
  cpSync(join(other, 'certs', 'ca.key'), join(wrong, 'ca.key'));
  const refused = await run(['rotate', '--keys', wrong]);
  expect(refused).toMatchObject({ code: 2, stdout: '' });
  expect(refused.stderr).toContain(`error: ${wrong}/ca.key: the private key does not match certs/ca.crt\n`);
  rmSync(join(wrong, 'ca.key'));
  expect((await run(['rotate', '--keys', wrong])).stderr).toContain(`error: neither ${wrong}/tls.key nor ${wrong}/ca.key found\n`);
  const both = await run(['rotate', '--keys', keys, '--ca-cert', 'a', '--ca-key', 'b']);
  expect(both).toMatchObject({ code: 2, stderr: expect.stringMatching(/'--keys <dir>' cannot be used with option '--ca-/) });
});

test('an issuer without a key in the project contradicts --keys', async () => {
  const copy = join(cwd, 'copy');
  cpSync(dir, copy, { recursive: true });
  const file = join(copy, 'apisvc.yaml');
  const text = readFileSync(file, 'utf8');
  const changed = text.replace(/^( +)type: self-signed\n +caLifetime: .*$/m, '$1type: existing-secret');
  expect(changed).not.toBe(text);
  writeFileSync(file, changed);
  expect(await run(['register', '-C', copy, '--keys', keys])).toMatchObject({
    code: 2,
    stderr: 'error: --keys cannot be used with the issuer type "existing-secret": the project has no private key\nfix: Remove --keys.\n',
  });
  expect(await run(['rotate', '-C', copy, '--keys', keys])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('error: apisvc does not rotate this certificate: another tool writes Secret wardle/api-tls'),
  });
});
