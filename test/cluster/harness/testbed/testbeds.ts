import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ownPrefix } from '../../../../src/sandbox/shared/owner.ts';
import { isOwnFolder } from '../own-folder.ts';

/** A cluster of a developer that runs in the background. */
export interface Testbed {
  /** Path. */
  readonly kubeconfig: string;
  /** Path of the program. */
  readonly kubectl: string;
  /** The version that kube-apiserver prints, for example Kubernetes v1.37.2. */
  readonly version: string;
  readonly cell: string;
  /** PID of the process that keeps it running. */
  readonly pid: number;
  /** Milliseconds since 1970. */
  readonly started: number;
}

const fileName = 'testbed.json';

/**
 * Writes the file that makes a run a testbed. The write is atomic, so a reader never sees a part of
 * it.
 */
export async function writeTestbed(stateDir: string, testbed: Testbed): Promise<void> {
  const file = join(stateDir, fileName);
  await writeFile(`${file}.new`, JSON.stringify(testbed), { mode: 0o600 });
  await rename(`${file}.new`, file);
}

/** The testbeds of the current user that run on this machine. */
export async function runningTestbeds(): Promise<Testbed[]> {
  const folders = (await readdir(tmpdir())).filter((name) => name.startsWith('apisvc-'));
  return (await Promise.all(folders.map(readTestbed))).flatMap((testbed) => testbed ?? []);
}

/**
 * Any user can create such a folder. It counts only if the current user owns it and it names a
 * process that keeps a testbed running.
 */
async function readTestbed(name: string): Promise<Testbed | undefined> {
  const folder = join(tmpdir(), name);
  if (!(await isOwnFolder(folder))) return undefined;
  const text = await readFile(join(folder, fileName), 'utf8').catch(() => undefined);
  const testbed = text === undefined ? undefined : parseTestbed(text);
  return testbed && name.startsWith(ownPrefix(testbed.pid)) && (await isHolder(testbed.pid)) ? testbed : undefined;
}

/** Undefined for a file that a full disk or a killed process left incomplete. */
function parseTestbed(text: string): Testbed | undefined {
  try {
    const testbed = JSON.parse(text);
    return Number.isInteger(testbed?.pid) ? testbed : undefined;
  } catch {
    return undefined;
  }
}

/** Whether `npm run testbed -- up`, in any checkout, started this process. */
async function isHolder(pid: number): Promise<boolean> {
  const words = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');
  return words.some((word) => word.endsWith('/testbed/hold.mjs'));
}
