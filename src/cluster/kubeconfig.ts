import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Cluster } from '@kubernetes/client-node';
import { KubeConfig } from '@kubernetes/client-node/dist/config.js';
import { fileExists, fileFix, fileReason } from '../config/file-errors.ts';
import { type ApisvcError, ClusterError, UsageError } from '../errors.ts';
import { proxyFor } from './proxy.ts';

/** The options that select the cluster and the user, named as in kubectl. */
export interface ClusterOptions {
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
  readonly as?: string | undefined;
  readonly asGroup?: readonly string[] | undefined;
}

const inClusterToken = '/var/run/secrets/kubernetes.io/serviceaccount/token';

/**
 * Finds the kubeconfig as kubectl does: `--kubeconfig`, else the files of KUBECONFIG, else
 * ~/.kube/config, else the ServiceAccount of the pod. In a list, missing files are skipped and the
 * first definition of a name wins (k8s.io/client-go/tools/clientcmd/loader.go,
 * ClientConfigLoadingRules). A cluster without proxy-url uses the proxy of the environment.
 * @throws UsageError when a file is unusable, no file of KUBECONFIG exists, or the context does not
 * exist; ClusterError when no cluster is configured
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

/** A context of the kubeconfig. `server` is the URL of its cluster. */
export interface ContextView {
  readonly name: string;
  readonly server: string | undefined;
  readonly current: boolean;
}

/**
 * Lists the contexts of the kubeconfig. None needs to be current.
 * @throws UsageError when a file is unusable
 */
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
    if (!fileExists(flag)) throw new UsageError(`kubeconfig ${flag} not found`, { fix: 'Set --kubeconfig to an existing file.' });
    return [flag];
  }
  const listed = (env.KUBECONFIG ?? '').split(delimiter).filter((file) => file !== '');
  const candidates = listed.length > 0 ? listed : [join(env.HOME ?? homedir(), '.kube', 'config')];
  return candidates.filter(fileExists);
}

/**
 * A file that the user named and that is missing is a wrong configuration; without any, no cluster
 * is reachable.
 */
function noCluster({ KUBECONFIG: named, HOME = homedir() }: NodeJS.ProcessEnv): ApisvcError {
  if (named) return new UsageError(`kubeconfig ${named} not found`, { fix: 'Set KUBECONFIG to an existing file.' });
  const source = join(HOME, '.kube', 'config');
  return new ClusterError(`no cluster is configured: ${source} does not exist, and apisvc is not running in a pod`, {
    fix: 'Set --kubeconfig or KUBECONFIG to a kubeconfig file.',
  });
}

function readKubeconfig(file: string): KubeConfig {
  const config = new KubeConfig();
  try {
    // kubectl treats an empty file as one without entries.
    if (readFileSync(file, 'utf8').trim() !== '') config.loadFromFile(file);
    return config;
  } catch (cause) {
    // Messages of the YAML parser have several lines.
    const [reason = ''] = fileReason(cause).split('\n');
    const fix = fileFix('read', file, cause) ?? 'Correct the file, or set --kubeconfig to another one.';
    throw new UsageError(`failed to read kubeconfig ${file}: ${reason}`, { fix, cause });
  }
}

function addFirstWins(into: KubeConfig, from: KubeConfig): void {
  into.clusters = merge(into.clusters, from.clusters?.map(allowPlainHttp));
  into.users = merge(into.users, from.users);
  into.contexts = merge(into.contexts, from.contexts);
  if (!into.currentContext) into.setCurrentContext(from.currentContext);
}

/**
 * kubectl accepts a server with an http:// URL (`kubectl proxy`). client-node does so only with
 * skipTLSVerify.
 */
const allowPlainHttp = (cluster: Cluster): Cluster => (cluster.server?.startsWith('http:') ? { ...cluster, skipTLSVerify: true } : cluster);

/**
 * kubectl uses the proxy of the environment for a cluster without proxy-url. client-node does not.
 */
function throughProxy(cluster: Cluster, env: NodeJS.ProcessEnv): Cluster {
  const proxyUrl = cluster.proxyUrl || proxyFor(cluster.server, env);
  return proxyUrl ? { ...cluster, proxyUrl } : cluster;
}

/** The lists of a KubeConfig are undefined until a file is loaded. */
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
      ? `Choose a context with --context: ${known.join(', ')}.`
      : 'Set --kubeconfig or KUBECONFIG to another kubeconfig file.';
  if (!name) throw new UsageError(`kubeconfig ${where} has no current context`, { fix });
  if (!known.includes(name)) throw new UsageError(`context "${name}" not found in ${where}`, { fix });
  if (!config.getCurrentCluster()) {
    throw new UsageError(`cluster "${config.getContextObject(name)?.cluster}" of context "${name}" not found in ${where}`);
  }
  const { name: cluster, server } = config.getCurrentCluster() ?? {};
  if (!/^https?:\/\//.test(server ?? '') || !URL.canParse(server ?? '')) {
    throw new UsageError(`the server of cluster "${cluster}" in ${where} is not a URL: "${server}"`, {
      fix: 'Set it to a URL that starts with https://.',
    });
  }
  // kubectl allows a context without a user, which is anonymous.
  const user = config.getContextObject(name)?.user;
  if (user && !config.getCurrentUser()) throw new UsageError(`user "${user}" of context "${name}" not found in ${where}`);
  return config;
}
