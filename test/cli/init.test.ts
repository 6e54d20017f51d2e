import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { presetNames } from '../../src/config/presets.ts';
import { folder, modeOf } from '../unit/project/folder.ts';
import { apisvc, oneLine, sampleProject, shell } from './apisvc.ts';

const sample = ['--preset', 'sample-apiserver', '--yes'];

describe('a new project', () => {
  test('prompts for nothing, lists the files and the next steps', async () => {
    const cwd = folder();
    const { code, stdout, stderr } = await apisvc(['init', 'demo', ...sample], { cwd });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.split('\n').slice(0, 7)).toEqual(
      [
        'apisvc.yaml',
        '.apisvc/registration.schema.json',
        'certs/.gitignore',
        'certs/ca.crt',
        'certs/ca.key',
        'certs/tls.crt',
        'certs/tls.key',
      ].map((file) => `created demo/${file}`),
    );
    expect(stdout).toContain('apisvc register -C demo');
    expect([modeOf(join(cwd, 'demo/certs/ca.key')), modeOf(join(cwd, 'demo/certs/tls.key'))]).toEqual([0o600, 0o600]);
  });

  test('control characters in the name of its directory are escaped', async () => {
    const { code, stdout } = await apisvc(['init', 'a\u001b[2Jb', ...sample], { cwd: folder() });
    expect(code).toBe(0);
    expect(stdout).toContain('created a\\x1b[2Jb/apisvc.yaml\n');
    expect(stdout).toContain("  apisvc register -C 'a\\x1b[2Jb'    #");
    expect(stdout).not.toContain('\u001b');
  });

  test.each(['ecdsa-p256', 'ecdsa-p384', 'rsa-2048'])('with %s passes openssl verify -x509_strict', async (keyType) => {
    const dir = await sampleProject(folder(), 'demo', '--key-type', keyType);
    const args = [
      '-x509_strict',
      '-purpose',
      'sslserver',
      '-verify_hostname',
      'api.wardle.svc',
      '-CAfile',
      'certs/ca.crt',
      'certs/tls.crt',
    ];
    expect(execFileSync('openssl', ['verify', ...args], { cwd: dir, encoding: 'utf8' })).toBe('certs/tls.crt: OK\n');
  });

  test('git ignores the keys', async () => {
    const dir = await sampleProject(folder());
    execFileSync('git', ['init', '-q'], { cwd: dir });
    const seen = execFileSync('git', ['ls-files', '--others', '--exclude-standard'], { cwd: dir, encoding: 'utf8' });
    expect(seen).toContain('certs/tls.crt');
    expect(seen).not.toContain('.key');
  });

  test('in the current directory, whose name is the default of the preset custom', async () => {
    const cwd = join(folder(), 'my-api');
    mkdirSync(cwd);
    const { code, stdout } = await apisvc(['init', '--api', 'my.example.com/v1', '--image', 'example.com/api:v1'], { cwd });
    expect(code).toBe(0);
    expect(stdout).toContain('v1.my.example.com will be served by Service my-api/my-api.\n');
    expect(stdout).toContain('  apisvc register    #');
  });

  test('the certificate has the names and the lifetime of the flags', async () => {
    const dir = await sampleProject(folder(), 'demo', '--dns', 'api.example.com', '--ip', '10.0.0.1', '--lifetime', '2d');
    const { subjectAltName, validTo } = new X509Certificate(readFileSync(join(dir, 'certs/tls.crt')));
    expect(subjectAltName).toMatch(/DNS:api\.wardle\.svc, .*DNS:api\.example\.com, IP Address:10\.0\.0\.1$/);
    const days = (Date.parse(validTo) - Date.now()) / 86_400_000;
    expect(days).toBeGreaterThan(1.99);
    expect(days).toBeLessThan(2.01);
  });
});

describe('invalid names are refused with the messages of Kubernetes before any file is written', () => {
  const custom = ['--yes', '--image', 'x', '--api'];
  const label1123 = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-'";
  const label1035 = "a DNS-1035 label must consist of lower case alphanumeric characters or '-'";
  test.each([
    ['group', [...custom, 'My_Group/v1'], /^error: --api: invalid value "My_Group": a lowercase RFC 1123 subdomain must consist of/],
    [
      'built-in group',
      [...custom, 'apps/v1'],
      /^error: --api: invalid value "apps": this API group is built into kube-apiserver; use a group/,
    ],
    ['core group', [...custom, '/v1'], /^error: --api \/v1: must be GROUP\/VERSION, for example/],
    ['version', [...custom, 'my.example.com/1v'], /^error: --api: invalid value "1v": a DNS-1035 label must consist of/],
    ['api', [...custom, 'my.example.com'], /^error: --api my\.example\.com: must be GROUP\/VERSION, for example/],
    ['service', [...sample, '--service', '1api'], `error: --service: invalid value "1api": ${label1035}`],
    ['namespace', [...sample, '--namespace', 'a.b'], `error: --namespace: invalid value "a.b": ${label1123}`],
    ['long', [...sample, '--namespace', 'a'.repeat(64)], /^error: --namespace: invalid value "a{20,}…: must be no more than 63 characters/],
    ['name', [...sample, '--name', 'UPPER'], `error: --name: invalid value "UPPER": ${label1123}`],
    ['lifetime', [...sample, '--lifetime', 'long'], /^error: --lifetime: invalid value "long": must be a duration/],
    [
      'lifetime without a unit',
      [...sample, '--lifetime', '365'],
      'error: --lifetime: invalid value "365": has no unit; write 365s, 365m, 365h or 365d',
    ],
    ['address', [...sample, '--ip', '10.0.0.256'], /^error: --ip: invalid value "10\.0\.0\.256": must be an IPv4 or IPv6 address/],
  ])('%s', async (_, flags, message) => {
    const cwd = folder();
    const ran = await apisvc(['init', 'demo', ...flags], { cwd });
    expect(ran.code).toBe(2);
    oneLine(ran);
    if (typeof message === 'string') expect(ran.stderr).toContain(message);
    else expect(ran.stderr).toMatch(message);
    expect(readdirSync(cwd)).toEqual([]);
  });

  test('a serving certificate that would outlive its CA', async () => {
    const cwd = folder();
    const ran = await apisvc(['init', 'demo', ...sample, '--ca-lifetime', '1d', '--lifetime', '2d'], { cwd });
    expect(ran.code).toBe(2);
    oneLine(ran);
    expect(readdirSync(cwd)).toEqual([]);
  });
});

describe('without prompts, an error names all missing flags', () => {
  test.each([
    [
      'no preset',
      [],
      `--preset NAME. NAME is ${presetNames.slice(0, -1).join(', ')} or ${presetNames.at(-1)}, for example: --preset ${presetNames.at(-1)}`,
    ],
    ['no API and no image', ['--preset', 'custom'], '--api GROUP/VERSION --image IMAGE.'],
    ['no API', ['--preset', 'custom', '--image', 'x'], '--api GROUP/VERSION.'],
    ['no group and no image of a webhook', ['--preset', 'dns-webhook'], '--api GROUP/VERSION --image IMAGE.'],
    ['no image', ['--preset', 'custom', '--api', 'a.example.com/v1'], '--image IMAGE.'],
  ])('%s', async (_, flags, flag) => {
    const cwd = folder();
    for (const yes of [[], ['--yes']]) {
      const ran = await apisvc(['init', 'demo', ...flags, ...yes], { cwd });
      expect(ran.code).toBe(2);
      oneLine(ran);
      expect(ran.stderr).toContain(`fix: Add ${flag}\n`);
    }
    expect(readdirSync(cwd)).toEqual([]);
  });
});

describe('a server that is already installed', () => {
  test('needs no image, and its Deployment is not rendered', async () => {
    const cwd = folder();
    const { code, stderr } = await apisvc(['init', '--preset', 'metrics-server-existing', '--yes'], { cwd });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { stdout, stderr: note } = await apisvc(['render', '--secrets', 'omit', '-o', 'json'], { cwd });
    expect(note).toMatch(/^note: existing Deployment metrics-server is not rendered; apisvc register[^\n]+\n$/);
    const { items } = JSON.parse(stdout) as { items: { kind: string }[] };
    expect(items.map(({ kind }) => kind)).toEqual(['Service', 'APIService']);
    const files = await apisvc(['render', '--secrets', 'omit', '--output-dir', 'manifests'], { cwd });
    expect(files.stderr).toBe(note);
    expect(readdirSync(join(cwd, 'manifests')).filter((name) => name.includes('deployment'))).toEqual([]);
  });

  test('refuses --image', async () => {
    const cwd = folder();
    const ran = await apisvc(['init', '--preset', 'metrics-server-existing', '--image', 'a:1', '--yes'], { cwd });
    expect(ran.code).toBe(2);
    oneLine(ran);
    expect(ran.stderr).toContain('found image and existing');
    expect(readdirSync(cwd)).toEqual([]);
  });
});

describe('a directory that cannot be written', () => {
  test('a file where a directory should be', async () => {
    const cwd = folder();
    writeFileSync(join(cwd, 'file'), '');
    const ran = await apisvc(['init', 'file/demo', ...sample], { cwd });
    expect(ran.code).toBe(2);
    oneLine(ran);
    expect(ran.stderr).toContain('not a directory');
    expect(readdirSync(cwd)).toEqual(['file']);
  });

  if (process.getuid?.() !== 0) {
    test('permission denied', async () => {
      const cwd = folder();
      mkdirSync(join(cwd, 'closed'), { mode: 0o555 });
      const ran = await apisvc(['init', 'closed/demo', ...sample], { cwd });
      expect(ran.code).toBe(2);
      oneLine(ran);
      expect(ran.stderr).toContain('permission denied');
    });
  }

  test.for([
    ['full', 'size=16k', 'no space left on the device', 70],
    ['read-only', 'ro', 'the file system is read-only', 2],
  ] as const)('a %s disk: no file is left', async ([, options, words, exitCode], { skip }) => {
    const cwd = folder();
    mkdirSync(join(cwd, 'disk'));
    const { code } = await shell(`mount -t tmpfs -o ${options} tmpfs disk`, cwd);
    skip(code !== 0, `NOT TESTED: ${words} (needs root and mount)`);
    try {
      const ran = await apisvc(['init', 'disk/demo', ...sample], { cwd });
      expect(ran.code).toBe(exitCode);
      oneLine(ran);
      expect(ran.stderr).toContain(words);
      expect(readdirSync(join(cwd, 'disk'))).toEqual([]);
    } finally {
      await shell('umount disk', cwd);
    }
  });
});

test('-q prints nothing when the project is created', async () => {
  const cwd = folder();
  expect(await apisvc(['init', 'demo', '--preset', 'demo', '--yes', '-q'], { cwd })).toEqual({ code: 0, stdout: '', stderr: '' });
  expect(readdirSync(join(cwd, 'demo'))).toContain('apisvc.yaml');
});

test('a directory in place of the key: --force-keys does not help, so the fix says what does', async () => {
  const cwd = folder();
  await apisvc(['init', '--preset', 'demo', '--yes'], { cwd });
  rmSync(join(cwd, 'certs/tls.key'));
  mkdirSync(join(cwd, 'certs/tls.key'));
  const stderr = 'error: certs/tls.key: it is a directory\nfix: Move the directory away: mv certs/tls.key certs/tls.key.old\n';
  expect(await apisvc(['render', '--secrets', 'include'], { cwd })).toEqual({ code: 2, stdout: '', stderr });
});
