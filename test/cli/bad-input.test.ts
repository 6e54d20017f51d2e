import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { folder } from '../unit/project/folder.ts';
import { apisvc } from './apisvc.ts';

let dir: string;
let project: string;

beforeEach(async () => {
  dir = folder();
  project = join(dir, 'demo');
  await apisvc(['init', 'demo', '--preset', 'sample-apiserver', '--yes'], { cwd: dir });
});

test('a private key in ca.crt is not rendered', async () => {
  const ca = join(project, 'certs', 'ca.crt');
  const clean = await apisvc(['render', '--secrets', 'omit'], { cwd: project });
  appendFileSync(ca, readFileSync(join(project, 'certs', 'ca.key')));
  const { code, stdout } = await apisvc(['render', '--secrets', 'omit'], { cwd: project });
  expect(code).toBe(0);
  expect(stdout).toBe(clean.stdout);
});

test.each([
  ['lint', '--filename', ''],
  ['verify', '--from', ''],
  ['verify', '--all', '--save', ''],
  ['verify', '--all', '--as-user', ''],
  ['register', '--keys', ''],
])('%s %s %s with an unset variable', async (...args) => {
  expect(await apisvc(args, { cwd: project })).toMatchObject({
    code: 2,
    stdout: '',
    stderr: `error: ${args.find((each) => each.startsWith('--') && each !== '--all')} has an empty value\nfix: Check that every shell variable in the command is set.\n`,
  });
});

describe('lint', () => {
  test.each([
    ['a device', '/dev/zero', 'error: failed to read /dev/zero: it is a device\nfix: Specify a file instead of a device.\n'],
    ['an empty argument', '', 'error: an argument is empty\nfix: Check that every shell variable in the command is set.\n'],
  ])('%s', async (_, file, stderr) => {
    expect(await apisvc(['lint', file], { cwd: dir })).toMatchObject({ code: 2, stdout: '', stderr });
  });

  test('a file that is too large, or not UTF-8', async () => {
    writeFileSync(join(dir, 'large.yaml'), 'a: b\n'.repeat(2_000_000));
    writeFileSync(join(dir, 'latin1.yaml'), Buffer.from('kind: Caf\xe9\n', 'latin1'));
    expect(await apisvc(['lint', 'large.yaml'], { cwd: dir })).toMatchObject({
      code: 2,
      stderr: 'error: failed to read large.yaml: it is larger than 8 MiB\nfix: Check the path, or split the file.\n',
    });
    expect(await apisvc(['lint', 'latin1.yaml'], { cwd: dir })).toMatchObject({
      code: 2,
      stderr:
        'error: failed to read latin1.yaml: it is not UTF-8 text\nfix: Convert the file to UTF-8. To see its encoding: file latin1.yaml\n',
    });
  });

  test('uses the last of several objects with the same name', async () => {
    const { stdout: manifests } = await apisvc(['render', '--secrets', 'omit'], { cwd: project });
    writeFileSync(join(dir, 'twice.yaml'), `${manifests.replace(/caBundle: .*/, 'caBundle: Cg==')}---\n${manifests}`);
    const { code, stdout } = await apisvc(['lint', 'twice.yaml'], { cwd: dir });
    expect(code).toBe(0);
    expect(stdout.match(/: passes\n/g)).toHaveLength(1);
  });
});

test('refuses a certificate that outlives its CA', async () => {
  const { code, stderr } = await apisvc(['init', 'other', '--preset', 'sample-apiserver', '--yes', '--lifetime', '20y'], { cwd: dir });
  expect(code).toBe(2);
  expect(stderr).toBe(
    'error: --lifetime: invalid value "20y": must not be longer than --ca-lifetime, which is 3650d: the CA would expire first\n',
  );
});

test.each([
  ['15m', ['--soak', '15m']],
  ['1m', ['--timeout', '60s']],
])('refuses a rotation of the CA that %s cannot cover', async (timeout, flags) => {
  expect(await apisvc(['rotate', '--ca', ...flags], { cwd: project })).toEqual({
    code: 2,
    stdout: '',
    stderr: `error: --timeout ${timeout} ends the rotation before --soak ${timeout} has passed\nfix: Set a longer --timeout, or a shorter --soak.\n`,
  });
});

test.each([[['--probe', '/apis/a.b/v1/x', '--no-probe']], [['--no-probe', '--probe', '/apis/a.b/v1/x']]])('refuses %j', async (flags) => {
  expect(await apisvc(['verify', 'v1.a.b', ...flags], { cwd: dir })).toEqual({
    code: 2,
    stdout: '',
    stderr: 'error: --probe and --no-probe cannot be used together\nfix: Remove one of the two flags.\n',
  });
});

describe('kubeconfig', () => {
  const config = (cluster: string, user = '') =>
    `apiVersion: v1\nkind: Config\nclusters: [{name: c, cluster: {${cluster}}}]\nusers: [{name: u, user: {${user}}}]\ncontexts: [{name: x, context: {cluster: c, user: u}}]\ncurrent-context: x\n`;

  test.each([
    [
      'a server URL without a scheme',
      config('server: "127.0.0.1:6443"'),
      /^error: invalid kubeconfig .*kubeconfig: server "127.0.0.1:6443" of cluster "c" has no scheme\nfix: Set the server: kubectl --kubeconfig=\S+ config set-cluster c --server=https:\/\/127.0.0.1:6443\n$/,
    ],
    [
      'a damaged certificate',
      config('server: "https://127.0.0.1:1"', 'client-certificate-data: Zm9v, client-key-data: Zm9v'),
      /^error: client certificate of user "u" in the kubeconfig: tls: failed to find any PEM data in certificate input\nfix: [^\n]+kubectl [^\n]+\n$/,
    ],
  ])('%s', async (_, text, stderr) => {
    const kubeconfig = join(dir, 'kubeconfig');
    writeFileSync(kubeconfig, text);
    const result = await apisvc(['verify', 'v1.apps', '--kubeconfig', kubeconfig], { cwd: dir });
    expect(result).toMatchObject({ code: 2, stdout: '' });
    expect(result.stderr).toMatch(stderr);
  });

  test('a directory', async () => {
    expect(await apisvc(['verify', 'v1.apps', '--kubeconfig', dir], { cwd: dir })).toMatchObject({
      code: 2,
      stderr: `error: failed to read kubeconfig ${dir}: it is a directory\nfix: Specify a file instead of a directory.\n`,
    });
  });
});
