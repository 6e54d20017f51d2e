import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Cluster, Context } from '@kubernetes/client-node';
import { KubeConfig } from '@kubernetes/client-node/dist/config.js';
import { fileExists } from '../config/file-errors.ts';
import { nearest } from '../config/nearest.ts';
import { withoutPassword } from '../config/redact.ts';
import { shellWord } from '../config/shell-word.ts';
import { type ApisvcError, ClusterError, UsageError } from '../errors.ts';
import { printable } from '../pki/printable.ts';
import { type ClusterEntry, type Kubeconfig, readKubeconfig } from './kubeconfig-file.ts';
import { clusterFaults, userFaults } from './kubeconfig-rules.ts';
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
    config.users = config.users.map(({ name }) => ({ name, tokenFile: inClusterToken }));
  }
  config.clusters = config.clusters.map((cluster) => throughProxy(cluster, env));
  if (context !== undefined) config.setCurrentContext(printable(context));
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
  return config.contexts.map(({ name, cluster }) => {
    const server = config.clusters.find((each) => each.name === cluster)?.server;
    return { name, server: server && withoutPassword(server), current: name === config.currentContext };
  });
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
  // With only empty entries, kubectl reads no file, not even the default one.
  const candidates = env.KUBECONFIG ? env.KUBECONFIG.split(delimiter) : [join(env.HOME ?? homedir(), '.kube', 'config')];
  return candidates.filter((file) => file !== '' && fileExists(file));
}

/**
 * A file that the user named and that is missing is a wrong configuration; without any, no cluster
 * is reachable.
 */
function noCluster({ KUBECONFIG: named, HOME = homedir() }: NodeJS.ProcessEnv): ApisvcError {
  if (named) {
    const what = named.split(delimiter).some((file) => file !== '') ? `kubeconfig ${named} not found` : 'KUBECONFIG does not name a file';
    return new UsageError(what, { fix: 'Set KUBECONFIG to an existing file.' });
  }
  const source = join(HOME, '.kube', 'config');
  return new ClusterError(`no cluster is configured: ${source} does not exist, and apisvc is not running in a pod`, {
    fix: 'Set --kubeconfig or KUBECONFIG to a kubeconfig file.',
  });
}

function addFirstWins(into: KubeConfig, from: Kubeconfig): void {
  into.clusters = merge(into.clusters, from.clusters.map(allowPlainHttp));
  into.users = merge(into.users, from.users);
  into.contexts = merge(into.contexts, from.contexts);
  if (!into.currentContext) into.setCurrentContext(from.currentContext);
}

/**
 * kubectl accepts a server with an http:// URL (`kubectl proxy`). client-node does so only with
 * skipTLSVerify.
 */
const allowPlainHttp = (cluster: ClusterEntry): ClusterEntry =>
  cluster.server.startsWith('http:') ? { ...cluster, skipTLSVerify: true } : cluster;

/**
 * kubectl uses the proxy of the environment for a cluster without proxy-url. client-node does not.
 */
function throughProxy(cluster: Cluster, env: NodeJS.ProcessEnv): ClusterEntry {
  if (cluster.proxyUrl) return cluster;
  const found = proxyFor(cluster.server, env);
  const proxyVariable = cluster.server.startsWith('http:') ? 'HTTP_PROXY' : 'HTTPS_PROXY';
  return found ? { ...cluster, proxyUrl: found, proxyVariable } : cluster;
}

const merge = <T extends { readonly name: string }>(known: readonly T[], more: readonly T[]): T[] => {
  const names = new Set(known.map(({ name }) => name));
  return [...known, ...more.filter(({ name }) => !names.has(name))];
};

/**
 * Checks the context, and the cluster and the user that it names, as kubectl does
 * (k8s.io/client-go/tools/clientcmd/client_config.go, ConfirmUsable).
 */
function requireCurrentContext(config: KubeConfig, files: readonly string[]): KubeConfig {
  const where = files.join(delimiter) || 'the pod';
  const context = requireContext(config, where);
  const cluster = config.getCluster(context.cluster);
  if (!cluster) throw missing('cluster', context.cluster, context.name, where, config.clusters);
  const user = config.getUser(context.user);
  if (!user && context.user) throw missing('user', context.user, context.name, where, config.users);
  // client-node reads the CA of the cluster only for a context with a user.
  if (!user) config.users = [...config.users, { name: context.user }];
  const faults = [...clusterFaults(cluster), ...(user ? userFaults(user) : [])];
  if (faults.length > 0) {
    throw new UsageError(`invalid kubeconfig ${where}: ${faults.map(({ message }) => message).join('; ')}`, {
      fix: [...new Set(faults.map(({ fix }) => fix))].join('\n'),
    });
  }
  return config;
}

function requireContext(config: KubeConfig, where: string): Context {
  const name = config.getCurrentContext();
  const names = config.contexts.map((each) => each.name);
  const fix =
    names.length > 0
      ? `${didYouMean(name, names)}Choose a context with --context: ${names.join(', ')}.`
      : 'Set --kubeconfig or KUBECONFIG to another kubeconfig file.';
  if (!name) throw new UsageError(`kubeconfig ${where} has no current context`, { fix });
  const context = config.contexts.find((each) => each.name === name);
  if (!context) throw new UsageError(`context "${name}" not found in ${where}`, { fix });
  return context;
}

/** The error for a context that names a cluster or user without an entry. */
function missing(kind: 'cluster' | 'user', name: string, context: string, where: string, entries: readonly { name: string }[]): UsageError {
  const message = name
    ? `${kind} "${name}" of context "${context}" not found in ${where}`
    : `${kind} was not specified for context "${context}" in ${where}`;
  const names = entries.map((entry) => entry.name).filter((each) => each !== '');
  const flag = `kubectl config set-context ${shellWord(context)} --${kind}=`;
  const fix =
    names.length > 0
      ? `${didYouMean(name, names)}Set the ${kind} of the context to one of ${names.join(', ')}: ${flag}${shellWord(nearest(name, names) ?? names[0] ?? '')}`
      : `Add a ${kind} to the kubeconfig, or choose another context with --context.`;
  return new UsageError(message, { fix });
}

function didYouMean(name: string, names: readonly string[]): string {
  const found = name ? nearest(name, names) : undefined;
  return found === undefined ? '' : `Did you mean "${found}"? `;
}
