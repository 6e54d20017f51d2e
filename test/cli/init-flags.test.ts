import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { folder } from '../unit/project/folder.ts';
import { apisvc } from './apisvc.ts';
import { hasTmux, terminal } from './tmux.ts';

const wrong = ['--api', 'demo', '--api', 'a/b/c', '--lifetime', '1000y', '--service', '1x'];

const init = async (flags: readonly string[], env: Record<string, string> = {}) => {
  const cwd = folder();
  const { code, stdout, stderr } = await apisvc(['init', 'demo', ...flags], { cwd, env });
  expect({ code, stdout, files: readdirSync(cwd) }).toEqual({ code: 2, stdout: '', files: [] });
  return stderr.split('\n').map((line) => line.replace(/(: invalid value "[^"]*"): .*/, '$1'));
};

test('one error names every missing and every wrong flag', async () => {
  const example = 'must be GROUP/VERSION, for example wardle.example.com/v1alpha1';
  expect(await init(['--yes', ...wrong, '--ca-lifetime', '3y', '--no-name-constraints', '--ca-cert', 'ca.crt'])).toEqual([
    'error: required flag "--image" not set',
    '--service: invalid value "1x"',
    '--lifetime: invalid value "1000y"',
    '--ca-lifetime and --no-name-constraints have no effect with --ca-cert: the CA already exists',
    `--api demo: ${example}`,
    `--api a/b/c: ${example}`,
    '--ca-cert needs --ca-key',
    'fix: Add --image IMAGE.',
    'Remove --ca-lifetime and --no-name-constraints.',
    'Add --ca-key FILE.',
    '',
  ]);
});

test('a missing preset does not hide the other flags', async () => {
  expect(await init(['--yes', '--lifetime', '3', '--ip', 'x'])).toEqual([
    'error: required flag "--preset" not set',
    '--lifetime: invalid value "3"',
    '--ip: invalid value "x"',
    expect.stringMatching(/^fix: Add --preset NAME\. /),
    '',
  ]);
});

test.each<[string, readonly string[], string, string?]>([
  ['a wrong name, which the namespace and the Service would get', ['--name', 'A'], '--name: invalid value "A"'],
  ['a wrong lifetime of the CA', ['--ca-lifetime', '5'], '--ca-lifetime: invalid value "5"'],
  ['an empty value', ['--issuer', 'csr', '--signer', 'a.b/c', '--cluster-trust-bundle', ''], '--cluster-trust-bundle: invalid value ""'],
  ['an IP address with a zone', ['--ip', 'fe80::1%eth0'], '--ip: invalid value "fe80::1%eth0"'],
  ['a wrong signer', ['--issuer', 'csr', '--signer', 'a.b/c d', '--cluster-trust-bundle', 'x'], '--signer: invalid value "a.b/c d"'],
  [
    'a wrong ClusterTrustBundle',
    ['--issuer', 'csr', '--signer', 'a.b/c', '--cluster-trust-bundle', 'x y'],
    '--cluster-trust-bundle: invalid value "x y"',
  ],
  [
    'a passphrase without a key',
    ['--ca-key-passphrase-env', 'PASSPHRASE'],
    '--ca-key-passphrase-env needs --ca-cert and --ca-key',
    'Add --ca-cert FILE --ca-key FILE, or remove --ca-key-passphrase-env.',
  ],
  [
    'an empty path',
    ['--ca-cert', '', '--ca-key', ''],
    '--ca-cert has an empty value',
    'Check that every shell variable in the command is set.',
  ],
  ['an empty list', ['--api', ''], '--api has an empty value', 'Check that every shell variable in the command is set.'],
  ['an empty name', ['--dns', ''], '--dns has an empty value', 'Check that every shell variable in the command is set.'],
  [
    'an empty address in a list',
    ['--ip', '10.0.0.1,'],
    '--ip has an empty value',
    'Check that every shell variable in the command is set.',
  ],
])('one error names %s', async (_, flags, error, fix) => {
  const api = flags.includes('--api') ? [] : ['--api', 'a.example.com/v1'];
  const lines = [`error: ${error}`, ...(fix === undefined ? [] : [`fix: ${fix}`]), ''];
  expect(await init(['--preset', 'custom', '--image', 'a:1', '--yes', ...api, ...flags])).toEqual(lines);
});

test('one error names every file and variable of the CA', async () => {
  const ca = ['--ca-cert', 'ca.crt', '--ca-key', 'ca.key', '--ca-key-passphrase-env', 'PASSPHRASE'];
  expect(await init(['--preset', 'metrics-server', ...ca])).toEqual([
    'error: failed to read ca.crt: no such file or directory',
    'failed to read ca.key: no such file or directory',
    '--ca-key-passphrase-env: environment variable PASSPHRASE is not set',
    'fix: Check the path.',
    'Set PASSPHRASE to the passphrase of the CA key, and export it.',
    '',
  ]);
});

test('on a terminal, wrong flags are refused before the first prompt', async ({ skip }) => {
  skip(!hasTmux, 'NOT TESTED: wrong flags on a terminal (needs tmux)');
  const cwd = folder();
  const screen = await terminal(`apisvc init demo ${wrong.join(' ')}`, cwd).until(/exit code/);
  expect(screen).toMatch(/^error: --service: [\s\S]*\n--lifetime: [\s\S]*\n--api demo: [\s\S]*\nexit code 2$/);
  expect(screen).not.toContain('? ');
});
