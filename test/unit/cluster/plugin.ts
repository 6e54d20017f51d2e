import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { filesOf, kubeconfig } from './kube-api.ts';

/**
 * Writes a kubeconfig whose user has a shell script as its credential plugin.
 * @param more properties of the exec section
 * @param moreOfCluster properties of the cluster
 */
export function withPlugin(
  script: string,
  more: object = {},
  server = 'https://192.0.2.1',
  moreOfCluster: object = {},
): { readonly dir: string; readonly config: string } {
  const dir = filesOf({ plugin: `#!/bin/sh\n${script}\n` });
  chmodSync(join(dir, 'plugin'), 0o755);
  const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: join(dir, 'plugin'), interactiveMode: 'Never', ...more };
  const users = [{ name: 'test', user: { exec } }];
  const clusters = [{ name: 'test', cluster: { server, ...moreOfCluster } }];
  writeFileSync(join(dir, 'config'), JSON.stringify({ ...kubeconfig(server), clusters, users }));
  return { dir, config: join(dir, 'config') };
}

/** Writes its process id, then hangs and ignores SIGTERM. */
export const hanging = `trap '' TERM; echo $$ > "$(dirname "$0")/pid"; exec sleep 300`;

const isRunning = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

export async function expectGone(dir: string): Promise<void> {
  const pid = Number(readFileSync(join(dir, 'pid'), 'utf8'));
  expect(pid).toBeGreaterThan(1);
  await expect.poll(() => isRunning(pid), { timeout: 2_000, interval: 10 }).toBe(false);
}
