import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ownPrefix } from '../../../../src/sandbox/shared/owner.ts';
import { isOwnFolder } from '../own-folder.ts';

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

/** Makes a run known as a testbed, all at once: who looks meanwhile sees none. */
export async function writeTestbed(stateDir: string, testbed: Testbed): Promise<void> {
  const file = join(stateDir, fileName);
  await writeFile(`${file}.new`, JSON.stringify(testbed), { mode: 0o600 });
  await rename(`${file}.new`, file);
}

/** Those of this user that run on this machine. */
export async function runningTestbeds(): Promise<Testbed[]> {
  const folders = (await readdir(tmpdir())).filter((name) => name.startsWith('apisvc-'));
  return (await Promise.all(folders.map(readTestbed))).flatMap((testbed) => testbed ?? []);
}

/** Everybody may make such a folder, so that it says something only if it is ours and names a process that holds a testbed. */
async function readTestbed(name: string): Promise<Testbed | undefined> {
  const folder = join(tmpdir(), name);
  if (!(await isOwnFolder(folder))) return undefined;
  const text = await readFile(join(folder, fileName), 'utf8').catch(() => undefined);
  const testbed = text === undefined ? undefined : parseTestbed(text);
  return testbed && name.startsWith(ownPrefix(testbed.pid)) && (await isHolder(testbed.pid)) ? testbed : undefined;
}

/** Undefined for what a full disk or a killed process left. */
function parseTestbed(text: string): Testbed | undefined {
  try {
    const testbed = JSON.parse(text);
    return Number.isInteger(testbed?.pid) ? testbed : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a process is one of `npm run testbed -- up`, in whatever checkout. */
async function isHolder(pid: number): Promise<boolean> {
  const words = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');
  return words.some((word) => word.endsWith('/testbed/hold.mjs'));
}
