import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { parse } from 'yaml';
import { expectTranscript, transcript } from '../docs/transcripts.ts';
import { emptyFolder } from './harness.ts';

const root = join(import.meta.dirname, '..', '..');
const startMs = 180_000;

interface Quickstart {
  readonly child: ChildProcess;
  /** Where it works, and the only folder where it leaves anything. */
  readonly folder: string;
  /** All that it has said so far, on stdout and stderr in one order. */
  readonly said: () => string;
}

/**
 * Starts what `npm run quickstart` does after the build, without a terminal and with no program on
 * PATH.
 */
function startQuickstart(): Quickstart {
  const folder = emptyFolder();
  const output = join(folder, 'output.txt');
  const file = openSync(output, 'w');
  const env = { PATH: folder, HOME: folder, TMPDIR: folder };
  const child = spawn(process.execPath, [join(root, 'scripts', 'quickstart.mjs'), '--no-build'], { env, stdio: ['ignore', file, file] });
  closeSync(file);
  onTestFinished(() => void child.kill('SIGKILL'));
  return { child, folder, said: () => readFileSync(output, 'utf8') };
}

test('prints what docs/quickstart.md shows', { timeout: startMs }, async () => {
  const { child, folder, said } = startQuickstart();
  const [code] = await once(child, 'exit');
  expect({ code, said: said() }).toMatchObject({ code: 0 });
  await expectTranscript(transcript('quickstart', ''), async () => said());
  const [project = '', ...others] = readdirSync(folder).sort();
  expect(others).toEqual(['output.txt']);
  expect(said()).toContain(join(folder, project, 'demo'));
  expect(existsSync(join(folder, project, 'demo', 'apisvc.yaml'))).toBe(true);
  expect(said()).not.toContain('PRIVATE KEY');
});

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s ends the sandbox too', { timeout: startMs }, async (signal, expected) => {
  const { child, folder, said } = startQuickstart();
  await vi.waitUntil(() => said().includes('apisvc register'), { timeout: startMs });
  const [project = ''] = readdirSync(folder).filter((name) => name.startsWith('apisvc-quickstart-'));
  const { clusters } = parse(readFileSync(join(folder, project, 'kubeconfig'), 'utf8'));
  child.kill(signal);
  const [code] = await once(child, 'exit');
  expect({ code, said: said() }).toEqual({ code: expected, said: expect.not.stringContaining('not expected') });
  expect(readdirSync(folder).sort()).toEqual([project, 'output.txt']);
  const { hostname, port } = new URL(clusters[0].cluster.server);
  const [error] = await once(connect({ host: hostname, port: Number(port) }), 'error');
  expect(error).toMatchObject({ code: 'ECONNREFUSED' });
});
