import { existsSync, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Cluster } from '@kubernetes/client-node';
import { KubeConfig } from '@kubernetes/client-node/dist/config.js';
import { ClusterError, UsageError } from '../errors.ts';
import { proxyFor } from './proxy.ts';

/** What a person may say about which cluster to use, and as whom; the names are kubectl's. */
export interface ClusterOptions {
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
  readonly as?: string | undefined;
  readonly asGroup?: readonly string[] | undefined;
}

const inClusterToken = '/var/run/secrets/kubernetes.io/serviceaccount/token';

/**
 * Finds the kubeconfig as kubectl does: `--kubeconfig`, else the files of KUBECONFIG, else ~/.kube/config, else the ServiceAccount of the pod
 * that this runs in. In a list, files that don't exist are passed over and the first to name a thing wins
 * (k8s.io/client-go/tools/clientcmd/loader.go, ClientConfigLoadingRules). A cluster without proxy-url gets the proxy of the environment.
 * @throws UsageError when a file can't be used or the context does not exist; ClusterError when no cluster is configured at all
 */
export function loadKubeConfig({ kubeconfig, context }: ClusterOptions, env: NodeJS.ProcessEnv): KubeConfig {
  const files = kubeconfigFiles(kubeconfig, env);
  const config = readAll(files);
  if (files.length === 0) {
    if (!env.KUBERNETES_SERVICE_HOST || !existsSync(inClusterToken)) throw noCluster(env);
    config.loadFromCluster();
  }
  config.clusters = config.clusters.map((cluster) => throughProxy(cluster, env));
  if (context !== undefined) config.setCurrentContext(context);
  return requireCurrentContext(config, files);
}

/** A context that may be chosen. `server` is the URL of its cluster, where that is known. */
export interface ContextView {
  readonly name: string;
  readonly server: string | undefined;
  readonly current: boolean;
}

/** Every context of the kubeconfig, also where none is current. @throws UsageError when a file can't be used */
export function listContexts({ kubeconfig }: ClusterOptions, env: NodeJS.ProcessEnv): ContextView[] {
  const config = readAll(kubeconfigFiles(kubeconfig, env));
  return (config.contexts ?? []).map(({ name, cluster }) => ({
    name,
    server: config.clusters?.find((each) => each.name === cluster)?.server,
    current: name === config.currentContext,
  }));
}

function readAll(files: readonly string[]): KubeConfig {
  const config = new KubeConfig();
  for (const file of files) addFirstWins(config, readKubeconfig(file));
  return config;
}

function kubeconfigFiles(flag: string | undefined, env: NodeJS.ProcessEnv): string[] {
  if (flag !== undefined) {
    if (!exists(flag)) throw new UsageError(`kubeconfig ${flag} does not exist`, { fix: 'Name an existing file with --kubeconfig.' });
    return [flag];
  }
  const listed = (env.KUBECONFIG ?? '').split(delimiter).filter((file) => file !== '');
  const candidates = listed.length > 0 ? listed : [join(env.HOME ?? homedir(), '.kube', 'config')];
  return candidates.filter(exists);
}

/** A file that may not be looked at is there; reading it says what is wrong. */
function exists(file: string): boolean {
  try {
    return statSync(file) !== undefined;
  } catch (error) {
    return !['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '');
  }
}

function noCluster(env: NodeJS.ProcessEnv): ClusterError {
  const looked = env.KUBECONFIG ? `KUBECONFIG=${env.KUBECONFIG}` : join(env.HOME ?? homedir(), '.kube', 'config');
  return new ClusterError(`no cluster is configured: ${looked} does not exist and this is not a pod`, {
    fix: 'Name a kubeconfig with --kubeconfig or KUBECONFIG.',
  });
}

function readKubeconfig(file: string): KubeConfig {
  const config = new KubeConfig();
  try {
    // kubectl takes an empty file for one without entries.
    if (readFileSync(file, 'utf8').trim() !== '') config.loadFromFile(file);
    return config;
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    // Node's own messages are such as "ENOTDIR: not a directory, open '/a/b'".
    const [line = ''] = message.split('\n');
    const reason = { EISDIR: 'it is a directory' }[code ?? ''] ?? /^E[A-Z\d]+: ([^,]+), /.exec(line)?.[1] ?? line;
    throw new UsageError(`kubeconfig ${file} can't be read: ${reason}`, { cause });
  }
}

function addFirstWins(into: KubeConfig, from: KubeConfig): void {
  into.clusters = merge(into.clusters, from.clusters?.map(allowPlainHttp));
  into.users = merge(into.users, from.users);
  into.contexts = merge(into.contexts, from.contexts);
  if (!into.currentContext) into.setCurrentContext(from.currentContext);
}

/** kubectl speaks plain HTTP where the server's URL says so (`kubectl proxy`); client-node does only when TLS is waived as well. */
const allowPlainHttp = (cluster: Cluster): Cluster => (cluster.server?.startsWith('http:') ? { ...cluster, skipTLSVerify: true } : cluster);

/** client-node knows no proxy but the kubeconfig's; kubectl takes that of the environment where there is none. */
function throughProxy(cluster: Cluster, env: NodeJS.ProcessEnv): Cluster {
  const proxyUrl = cluster.proxyUrl || proxyFor(cluster.server, env);
  return proxyUrl ? { ...cluster, proxyUrl } : cluster;
}

/** A new KubeConfig has no lists at all until something is loaded into it. */
function merge<T extends { name: string }>(known: T[] | undefined, more: T[] | undefined): T[] {
  const names = new Set((known ?? []).map(({ name }) => name));
  return [...(known ?? []), ...(more ?? []).filter(({ name }) => !names.has(name))];
}

function requireCurrentContext(config: KubeConfig, files: readonly string[]): KubeConfig {
  const where = files.join(delimiter) || 'the pod';
  const name = config.getCurrentContext();
  const known = config.getContexts().map((each) => each.name);
  const fix =
    known.length > 0
      ? `Contexts there: ${known.join(', ')}. Choose one with --context.`
      : 'Name another kubeconfig with --kubeconfig or KUBECONFIG.';
  if (!name) throw new UsageError(`kubeconfig ${where} has no current context`, { fix });
  if (!known.includes(name)) throw new UsageError(`context "${name}" does not exist in ${where}`, { fix });
  if (!config.getCurrentCluster()) {
    throw new UsageError(`context "${name}" names a cluster that does not exist in ${where}: "${config.getContextObject(name)?.cluster}"`);
  }
  const { name: cluster, server } = config.getCurrentCluster() ?? {};
  if (!/^https?:\/\//.test(server ?? '') || !URL.canParse(server ?? '')) {
    throw new UsageError(`the server of cluster "${cluster}" in ${where} is not a URL: "${server}"`, {
      fix: 'It must begin with https://.',
    });
  }
  // A context without user is anonymous, which kubectl allows.
  const user = config.getContextObject(name)?.user;
  if (user && !config.getCurrentUser()) throw new UsageError(`context "${name}" names a user that does not exist in ${where}: "${user}"`);
  return config;
}
