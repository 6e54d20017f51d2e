import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { etcdCommand, etcdUrl } from '../../../src/sandbox/real/components.ts';
import { placeHere } from '../../../src/sandbox/real/place.ts';
import { waitUntil } from '../../../src/sandbox/real/ready.ts';
import { type RunningProcess, startProcess } from '../../../src/sandbox/shared/process.ts';
import { program } from './programs.ts';
import { cluster } from './provided.ts';

/** Starts an etcd on loopback of this machine, outside the namespace of the control plane, as an author of a server has one. The spec stops it. */
export async function startHostEtcd(): Promise<{ readonly url: string; readonly process: RunningProcess }> {
  // Without certificates, so that servers need no flags for them: what the tests keep there is worth nothing.
  const place = { ...(await placeHere()), isolated: true };
  const folder = mkdtempSync(join(cluster.stateDir, 'host-etcd-'));
  const url = etcdUrl(place);
  const process = startProcess({
    name: 'etcd of this machine',
    command: etcdCommand({ etcd: program(cluster.programs, 'etcd') }, cluster.files, folder, place),
    enter: [],
    logFile: join(folder, 'log'),
  });
  const healthy = async (): Promise<boolean> => (await fetch(`${url}/health`).catch(() => undefined))?.status === 200;
  await waitUntil('etcd of this machine', healthy, { processes: [process], signal: AbortSignal.timeout(30_000) });
  return { url, process };
}
