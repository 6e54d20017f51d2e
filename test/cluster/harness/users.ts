import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { writeKubeconfig, writeUserKubeconfig } from '../../../src/sandbox/shared/kubeconfig.ts';
import { kubectl } from './commands.ts';
import { cluster } from './provided.ts';

/**
 * Writes a kubeconfig with a new client certificate for the user.
 * @param now - when the certificate is issued; a day in the past results in an expired one
 * @returns the path of the kubeconfig
 */
export async function userKubeconfig(user: string, groups: readonly string[] = [], now = new Date()): Promise<string> {
  const path = await kubeconfigPath();
  await writeUserKubeconfig(path, cluster, { user, groups, now });
  return path;
}

/**
 * Writes a kubeconfig with a token of an existing ServiceAccount.
 * @returns the path of the kubeconfig
 */
export async function serviceAccountKubeconfig(namespace: string, name: string): Promise<string> {
  const { exitCode, stdout, stderr } = await kubectl(['create', 'token', name, `--namespace=${namespace}`]);
  if (exitCode !== 0) throw new Error(`failed to create a token for ServiceAccount ${namespace}/${name}: ${stderr}`);
  const path = await kubeconfigPath();
  await writeKubeconfig(path, name, cluster, { token: stdout.trim() });
  return path;
}

const kubeconfigPath = async (): Promise<string> => join(await mkdtemp(join(cluster.stateDir, 'user-')), 'kubeconfig');
