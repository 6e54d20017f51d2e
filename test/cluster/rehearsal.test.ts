import { mkdtempSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunningProcess } from '../../src/sandbox/shared/process.ts';
import { apisvc } from './harness/commands.ts';
import { startHostEtcd } from './harness/host-etcd.ts';
import { program, requirePrograms } from './harness/programs.ts';
import { emptyFolder } from './harness/projects.ts';
import { cluster } from './harness/provided.ts';

/** `apisvc sandbox` with a real server, as a process of this host, on both engines. */

let etcd: { readonly url: string; readonly process: RunningProcess };
beforeAll(async () => {
  etcd = await startHostEtcd();
});
afterAll(() => etcd?.process.stop());

const engines = [
  ['real', '1.37'],
  ['real', '1.35'],
  ['simulated', '1.37'],
  ['simulated', '1.35'],
] as const;

/** A folder with the programs of a version, as setup-envtest downloads them. */
function assetsOf(kubernetes: '1.35' | '1.37'): string {
  const [folder, programs] = [emptyFolder(), requirePrograms({ kubernetes, node: false })];
  for (const name of ['etcd', 'kube-apiserver', 'kube-controller-manager']) symlinkSync(program(programs, name), join(folder, name));
  return folder;
}

/** Rehearses a project of a preset. Its folder for temporary files must be empty at the end. */
async function rehearse(preset: string, engine: (typeof engines)[number], command: readonly string[]) {
  const cwd = emptyFolder();
  const TMPDIR = mkdtempSync(join(emptyFolder(), 'tmp-'));
  expect(await apisvc(['init', '--preset', preset, '--yes'], { cwd })).toMatchObject({ exitCode: 0 });
  const [kind, kubernetes] = engine;
  const options = kind === 'real' ? ['--assets', assetsOf(kubernetes)] : ['--kubernetes', kubernetes];
  const args = ['sandbox', '--once', '--engine', kind, ...options, '-o', 'json', '--', ...command];
  const { exitCode, stdout, stderr } = await apisvc(args, { cwd, env: { TMPDIR }, timeout: 170_000 });
  expect(readdirSync(TMPDIR)).toEqual([]);
  expect({ exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ exitCode: 0, stderr: '' });
  return { diagnosis: JSON.parse(stdout), stderr };
}

test.each(engines)('sample-apiserver on the engine %s %s', async (...engine) => {
  const [, kubernetes] = engine;
  const flags = kubernetes === '1.35' && engine[0] === 'real' ? ['--disable-admission-plugins=MutatingAdmissionPolicy'] : [];
  const { diagnosis, stderr } = await rehearse('sample-apiserver', engine, [
    program(cluster.programs, 'sample-apiserver'),
    `--etcd-servers=${etcd.url}`,
    ...flags,
  ]);
  expect(diagnosis).toMatchObject({ verdict: 'healthy', apis: [{ name: 'v1alpha1.wardle.example.com', findings: [], notChecked: [] }] });
  expect(diagnosis.source.version).toMatch(new RegExp(`^v${kubernetes}\\.`));
  expect(stderr).toContain('sample-apiserver | ');
});
