import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts } from '../../../src/sandbox/real/place.ts';
import { type RunningProcess, startProcess } from '../../../src/sandbox/real/process.ts';
import { waitUntil } from '../../../src/sandbox/real/ready.ts';
import { program } from './programs.ts';
import { cluster } from './provided.ts';

/** Starts an etcd on loopback of this machine, outside the namespace of the control plane, as an author of a server has one. The spec stops it. */
export async function startHostEtcd(): Promise<{ readonly url: string; readonly process: RunningProcess }> {
  const [client, peer] = await freePorts(2);
  const folder = mkdtempSync(join(cluster.stateDir, 'host-etcd-'));
  const url = `http://127.0.0.1:${client}`;
  const peerUrl = `http://127.0.0.1:${peer}`;
  const process = startProcess({
    name: 'etcd of this machine',
    command: [
      program(cluster.programs, 'etcd'),
      `--data-dir=${join(folder, 'data')}`,
      '--unsafe-no-fsync',
      `--listen-client-urls=${url}`,
      `--advertise-client-urls=${url}`,
      `--listen-peer-urls=${peerUrl}`,
      `--initial-advertise-peer-urls=${peerUrl}`,
      `--initial-cluster=default=${peerUrl}`,
    ],
    enter: [],
    logFile: join(folder, 'log'),
  });
  const healthy = async (): Promise<boolean> => (await fetch(`${url}/health`).catch(() => undefined))?.status === 200;
  await waitUntil('etcd of this machine', healthy, { processes: [process], signal: AbortSignal.timeout(30_000) });
  return { url, process };
}
