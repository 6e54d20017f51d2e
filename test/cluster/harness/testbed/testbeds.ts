import { readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ownPrefix } from '../../../../src/sandbox/real/owner.ts';

/** A cluster that runs in the background. */
export interface Testbed {
  /** Path. */
  readonly kubeconfig: string;
  /** Path of the program. */
  readonly kubectl: string;
  /** What kube-apiserver calls itself, e.g. Kubernetes v1.37.2. */
  readonly version: string;
  readonly cell: string;
  /** Of the process that holds it. */
  readonly pid: number;
  /** Milliseconds since 1970. */
  readonly started: number;
}

const fileName = 'testbed.json';

/** Makes a run known as a testbed. */
export const writeTestbed = (stateDir: string, testbed: Testbed): Promise<void> =>
  writeFile(join(stateDir, fileName), JSON.stringify(testbed));

/** Those that run on this machine. */
export async function runningTestbeds(): Promise<Testbed[]> {
  const folders = (await readdir(tmpdir())).filter((name) => name.startsWith('apisvc-'));
  const read = folders.map(async (name): Promise<Testbed[]> => {
    const text = await readFile(join(tmpdir(), name, fileName), 'utf8').catch(() => undefined);
    const testbed: Testbed | undefined = text === undefined ? undefined : JSON.parse(text);
    return testbed !== undefined && name.startsWith(ownPrefix(testbed.pid)) ? [testbed] : [];
  });
  return (await Promise.all(read)).flat();
}
