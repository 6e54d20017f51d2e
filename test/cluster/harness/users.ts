import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { writeKubeconfig, writeUserKubeconfig } from '../../../src/sandbox/shared/kubeconfig.ts';
import { kubectl } from './commands.ts';
import { cluster } from './provided.ts';

/** Makes a user with a client certificate. @param now - a day in the past makes the certificate an expired one @returns path of the kubeconfig */
export async function userKubeconfig(user: string, groups: readonly string[] = [], now = new Date()): Promise<string> {
  const path = await kubeconfigPath();
  await writeUserKubeconfig(path, cluster, { user, groups, now });
  return path;
}

/** Makes a token for an existing ServiceAccount. @returns path of the kubeconfig */
export async function serviceAccountKubeconfig(namespace: string, name: string): Promise<string> {
  const { exitCode, stdout, stderr } = await kubectl(['create', 'token', name, `--namespace=${namespace}`]);
  if (exitCode !== 0) throw new Error(`no token for ServiceAccount ${namespace}/${name}: ${stderr}`);
  const path = await kubeconfigPath();
  await writeKubeconfig(path, name, cluster, { token: stdout.trim() });
  return path;
}

const kubeconfigPath = async (): Promise<string> => join(await mkdtemp(join(cluster.stateDir, 'user-')), 'kubeconfig');
