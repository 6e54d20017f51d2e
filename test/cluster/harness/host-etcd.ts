import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { etcdCommand, etcdUrl } from '../../../src/sandbox/real/components.ts';
import { placeOnLoopback } from '../../../src/sandbox/real/place.ts';
import { waitUntil } from '../../../src/sandbox/real/ready.ts';
import { type RunningProcess, startProcess } from '../../../src/sandbox/shared/process.ts';
import { program } from './programs.ts';
import { cluster } from './provided.ts';

/**
 * Starts an etcd on the loopback address of the host, outside the network namespace of the control
 * plane, as the author of a server does. The spec stops it.
 */
export async function startHostEtcd(): Promise<{ readonly url: string; readonly process: RunningProcess }> {
  // This etcd has no certificates, so servers need no flags for them. The tests store nothing
  // secret in it.
  const place = { ...(await placeOnLoopback()), isolated: true };
  const folder = mkdtempSync(join(cluster.stateDir, 'host-etcd-'));
  const url = etcdUrl(place);
  const process = startProcess({
    name: 'etcd on the host',
    command: etcdCommand({ etcd: program(cluster.programs, 'etcd') }, cluster.files, folder, place),
    enter: [],
    logFile: join(folder, 'log'),
  });
  const healthy = async (): Promise<boolean> => (await fetch(`${url}/health`).catch(() => undefined))?.status === 200;
  await waitUntil('etcd on the host', healthy, { processes: [process], signal: AbortSignal.timeout(90_000) });
  return { url, process };
}
