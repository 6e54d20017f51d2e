import { rmSync, writeFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { folder } from '../unit/project/folder.ts';
import { apisvc, sampleProject, shell } from './apisvc.ts';
import { startApisvc } from './running.ts';

/** Named pipes, to which the shell turns `<(command)` too, in the place of files. */

let cwd: string;
const project = (...path: readonly string[]): string => join(cwd, 'demo', ...path);

/** A kubeconfig whose server refuses every connection. */
const kubeconfig = (user: object = {}): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:1' } }],
    users: [{ name: 'u', user }],
    contexts: ['x', 'y'].map((name) => ({ name, context: { cluster: 'c', user: 'u' } })),
    'current-context': 'x',
  });

beforeEach(async () => {
  cwd = folder();
  await sampleProject(cwd);
  writeFileSync(join(cwd, 'config'), kubeconfig());
  await shell('mkfifo one two', cwd);
});

const verify = ['verify', 'v1.example.com'];
const init = ['init', 'new', '--preset', 'demo'];

describe('a signal ends the wait', () => {
  /** Starts apisvc, and opens the pipe `one` when apisvc does. */
  async function start(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const { running } = startApisvc(args, { cwd, env });
    const one: FileHandle = await open(join(cwd, 'one'), 'w');
    onTestFinished(() => one.close());
    return { running, one };
  }

  test.each<[string, readonly string[], Readonly<Record<string, string>>]>([
    ['--kubeconfig', [...verify, '--kubeconfig', 'one'], {}],
    ['KUBECONFIG', verify, { KUBECONFIG: 'config:one' }],
    ['--ca-cert', [...init, '--ca-cert', 'one', '--ca-key', 'two'], {}],
    ['--ca-key', [...init, '--ca-cert', 'config', '--ca-key', 'one'], {}],
    ['--ca-key-passphrase-file', [...init, '--ca-cert', 'config', '--ca-key', 'config', '--ca-key-passphrase-file', 'one'], {}],
  ])('for the end of a pipe: %s', async (_, args, env) => {
    const { running } = await start(args, env);
    running.kill('SIGINT');
    expect(await running).toMatchObject({ exitCode: 130, stdout: '', stderr: 'error: interrupted' });
  });

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('for a writer: %s', async (signal, exitCode) => {
    const { running, one } = await start([...init, '--ca-cert', 'one', '--ca-key', 'two']);
    await one.close();
    running.kill(signal);
    expect(await running).toMatchObject({ exitCode, stdout: '' });
  });
});

describe('a pipe with a writer is read as a file', () => {
  test('a kubeconfig, also by every context', async () => {
    const flags = '--context x --context y --kubeconfig one';
    const { code, stdout } = await shell(`cat config >one & "$apisvc" ${verify.join(' ')} ${flags}`, cwd);
    expect(code).toBe(3);
    expect(stdout.match(/connection refused/g)).toHaveLength(2);
  });

  test('the kubeconfigs of KUBECONFIG', async () => {
    const { code, stderr } = await shell(`cat config >one & KUBECONFIG=none:one "$apisvc" ${verify.join(' ')}`, cwd);
    expect({ code, stderr }).toEqual({ code: 3, stderr: expect.stringContaining('connection refused') });
  });

  test('a CA and its key', async () => {
    const write = 'cat demo/certs/ca.crt >one & cat demo/certs/ca.key >two &';
    const flags = '--preset sample-apiserver --ca-cert one --ca-key two';
    expect(await shell(`${write} "$apisvc" init new ${flags}`, cwd)).toMatchObject({ code: 0, stderr: '' });
    expect(await shell('cmp demo/certs/ca.crt new/certs/ca.crt', cwd)).toMatchObject({ code: 0 });
  });
});

test.each<[string, readonly string[], number]>([
  ['init', init, 0],
  ['init, which refuses --kubeconfig', [...init, '--kubeconfig', 'one'], 2],
  ['register --dry-run=client', ['register', '-C', 'demo', '--dry-run=client'], 0],
  ['verify --from', ['verify', '--from', 'none'], 2],
])('a kubeconfig that is not used is not read, by %s', async (_, args, code) => {
  expect(await apisvc(args, { cwd, env: { KUBECONFIG: 'one' } })).toMatchObject({ code });
});

describe('a pipe is refused where only a file makes sense', () => {
  test.each([
    ['apisvc.yaml', ['render']],
    ['apisvc.yaml', ['lint']],
    ['certs/ca.crt', ['render']],
    ['certs/tls.crt', ['lint']],
    ['certs/tls.key', ['render', '--secrets', 'include']],
  ])('%s, by %j', async (file, args) => {
    rmSync(project(file));
    await shell(`mkfifo ${file}`, project());
    const { code, stderr } = await apisvc(args, { cwd: project() });
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: (failed to read )?\S+: it is a named pipe\nfix: Replace the pipe with a file\.\n$/);
    expect(stderr).toContain(` ${file}: `);
  });

  test.each([
    [{ tokenFile: 'one' }, /^error: .*unable to read tokenFile \S+one for u due to open \S+one: it is a named pipe\nfix: /],
    [
      { 'client-certificate': 'one', 'client-key': 'one' },
      /^error: .*unable to read client-cert \S+one .*open \S+one: it is a named pipe\nfix: /,
    ],
  ])('a file of a kubeconfig: %j', async (user, message) => {
    writeFileSync(join(cwd, 'config'), kubeconfig(user));
    const { code, stderr } = await apisvc([...verify, '--kubeconfig', 'config'], { cwd });
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(message) });
  });

  test('a file to which a link in a directory of manifests leads', async () => {
    await shell('mkdir manifests; ln -s ../one manifests/one.yaml', cwd);
    const { code, stderr } = await apisvc(['lint', 'manifests'], { cwd });
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('manifests/one.yaml: it is a named pipe\n') });
  });

  test('--ca-bundle, which apisvc.yaml would name', async () => {
    const { code, stderr } = await apisvc([...init, '--issuer', 'existing-secret', '--ca-bundle', 'one'], { cwd });
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr:
        'error: --ca-bundle one is a named pipe, but apisvc.yaml needs a regular file\nfix: Write the CA certificates to a file, and set --ca-bundle to this file.\n',
    });
  });
});
