import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { afterAll, describe, expect, inject, test, vi } from 'vitest';
import { plainEnv, root } from '../cli/apisvc.ts';

/** The executable of a release, on a machine without Node.js. */

const release = inject('release');
const executable = inject('executable');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** What the executable loads, from ldd. The dynamic loader is a part of libc. */
const libraries = [...execFileSync('ldd', [executable], { encoding: 'utf8' }).matchAll(/(?:=> )?(\/\S+)/g)].map(([, path = '']) => path);

/** The root directory of a machine with the C and C++ libraries, and nothing else. */
const machine = mkdtempSync(join(tmpdir(), 'apisvc-machine-'));
for (const path of [executable, ...libraries]) {
  const place = join(machine, path === executable ? 'apisvc' : path);
  mkdirSync(dirname(place), { recursive: true });
  cpSync(path, place, { dereference: true });
}
mkdirSync(join(machine, 'tmp'));
afterAll(() => rmSync(machine, { recursive: true, force: true }));

/** Runs apisvc there. */
const onMachine = (args: readonly string[], env = {}) =>
  execa('chroot', [machine, '/apisvc', ...args], {
    env: { PATH: plainEnv.PATH, ...env },
    extendEnv: false,
    reject: false,
    stdin: 'ignore',
  });

test('the libraries are those that docs/install.md lists', () => {
  const names = libraries.map((path) => path.split('/').at(-1) ?? '').sort();
  const libc = ['ld-linux-x86-64.so.2', 'libc.so.6', 'libdl.so.2', 'libm.so.6', 'libpthread.so.0'];
  expect(names.filter((name) => !libc.includes(name))).toEqual(['libatomic.so.1', 'libgcc_s.so.1', 'libstdc++.so.6']);
  const page = readFileSync(join(root, 'docs', 'install.md'), 'utf8');
  for (const name of ['glibc', 'libatomic', 'libstdc++']) expect(page).toContain(name);
});

test('checksums.txt has the checksum of each file', () => {
  const archive = `apisvc-${version}-linux-x64.tar.gz`;
  expect(readdirSync(release)).toEqual(expect.arrayContaining([`apisvc-${version}.tgz`, archive, 'checksums.txt']));
  const checked = execFileSync('sha256sum', ['-c', 'checksums.txt'], { cwd: release, encoding: 'utf8' });
  expect(checked).toContain(`${archive}: OK`);
  expect(execFileSync('tar', ['-tzf', join(release, archive)], { encoding: 'utf8' })).toBe('LICENSE\nTHIRD-PARTY-NOTICES.txt\napisvc\n');
});

test('V8 accepts the compiled code of every file that a command loads', async () => {
  const hook = join(machine, 'tmp', 'hook.cjs');
  const record = `const vm = require('node:vm');
    const seen = {};
    vm.Script = class extends vm.Script {
      constructor(code, options) { super(code, options); seen[options.filename] = this.cachedDataRejected; }
    };
    process.on('exit', () => console.error(JSON.stringify(seen)));`;
  writeFileSync(hook, record);
  const { stderr } = await onMachine(['--help'], { NODE_OPTIONS: '--require /tmp/hook.cjs' });
  rmSync(hook);
  expect(JSON.parse(stderr)).toMatchObject({ 'main.cjs': false });
  expect(Object.entries(JSON.parse(stderr)).filter(([, isRejected]) => isRejected !== false)).toEqual([]);
});

describe('on a machine without Node.js', () => {
  test.each([
    [['--version'], version],
    [['init', 'demo', '--preset', 'demo', '--yes'], /created demo\/certs\/tls\.key/],
    [['render', '-C', 'demo'], /kind: APIService/],
    [['lint', '-C', 'demo'], /v1alpha1\.demo\.apisvc\.dev: passes/],
    [['explain', 'cert/san-mismatch'], /fix:/],
    [['sandbox', '--engine', 'simulated', '--once'], /healthy/],
    [['completion', 'bash'], /complete/],
    [['__complete', 'ver'], /verify/],
  ])('apisvc %j', async (args, expected) => {
    const { exitCode, stdout } = await onMachine(args);
    expect({ exitCode, stdout }).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(expected) });
  });

  test('apisvc verify, and no file is left', async () => {
    const box = onMachine(['sandbox', '--engine', 'simulated', '--write-kubeconfig', '/kubeconfig']);
    let said = '';
    box.stderr.on('data', (chunk: Buffer) => {
      said += chunk;
    });
    await vi.waitFor(() => expect(said).toContain('runs until you press Ctrl-C'), { timeout: 60_000, interval: 50 });
    const { exitCode, stdout } = await onMachine(['verify', 'v1alpha1.demo.apisvc.dev', '-o', 'short'], { KUBECONFIG: '/kubeconfig' });
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: '✓ v1alpha1.demo.apisvc.dev healthy' });
    box.kill('SIGINT');
    expect((await box).exitCode).toBe(130);
    expect(readdirSync(join(machine, 'tmp'))).toEqual([]);
  });
});

describe('links', () => {
  const folder = join(machine, 'links');
  mkdirSync(folder);
  for (const name of ['kubectl-apisvc', 'kubectl_complete-apisvc']) symlinkSync(executable, join(folder, name));
  const run = (name: string, ...args: string[]) => execa(join(folder, name), args, { env: plainEnv, extendEnv: false });

  test('kubectl-apisvc is the plugin', async () => {
    expect((await run('kubectl-apisvc', '--help')).stdout).toContain('Usage: kubectl apisvc');
  });

  test('kubectl_complete-apisvc completes', async () => {
    expect((await run('kubectl_complete-apisvc', 'ver')).stdout).toContain('verify');
  });
});

if (process.env.APISVC_THOROUGH) {
  test('a second release is the same', { timeout: 300_000 }, async () => {
    const again = join(machine, 'again');
    await execa(process.execPath, ['scripts/release.mjs', '--dry-run', '--no-build', '--only', 'linux-x64', '--output', again], {
      cwd: root,
    });
    expect(readFileSync(join(again, 'checksums.txt'), 'utf8')).toBe(readFileSync(join(release, 'checksums.txt'), 'utf8'));
  });

  test('passes the tests of the command line', { timeout: 1_200_000 }, async () => {
    const env = { APISVC_CLI: executable };
    const { exitCode, stdout } = await execa('npx', ['vitest', 'run', '--project', 'cli'], { cwd: root, env, reject: false, all: true });
    expect({ exitCode, stdout }).toMatchObject({ exitCode: 0 });
  });
}
