import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { DeadlineError } from '../errors.ts';
import { PluginError } from './faults.ts';
import type { ExecConfig } from './kubeconfig-fields.ts';
import type { ClusterEntry } from './kubeconfig-file.ts';

/**
 * The credentials that a plugin prints (k8s.io/client-go/pkg/apis/clientauthentication/v1/types.go,
 * ExecCredentialStatus).
 */
export interface ExecCredentialStatus {
  readonly token?: string;
  readonly clientCertificateData?: string;
  readonly clientKeyData?: string;
  readonly expirationTimestamp?: string;
}

/** For whom a plugin runs. */
export interface PluginRun {
  readonly exec: ExecConfig;
  /** Names in the kubeconfig, for messages. */
  readonly user: string;
  readonly context: string;
  readonly cluster: ClusterEntry;
  readonly env: NodeJS.ProcessEnv;
  /** Whether a person at a terminal can answer the plugin, for instance to log in. */
  readonly interactive: boolean;
  /** Kills the plugin, which may be waiting for a login in a browser. */
  readonly signal: AbortSignal;
}

/**
 * Runs a credential plugin with the rules of kubectl (k8s.io/client-go/plugin/pkg/client/auth/exec,
 * refreshCredsLocked). client-node can run plugins too, but only in a way that outlives the signal.
 * @throws PluginError when it gives no credentials; the reason of the signal
 */
export async function runExecPlugin(run: PluginRun): Promise<ExecCredentialStatus> {
  try {
    return credentialsIn(await outputOf(run), run.exec);
  } catch (error) {
    if (run.signal.aborted) throw stillRunning(run);
    if (!(error instanceof PluginFault)) throw error;
    throw new PluginError(`failed to get credentials for context "${run.context}": ${error.message}`, {
      fix: error.fix(run),
      cause: error,
    });
  }
}

function stillRunning({ exec: { command }, signal }: PluginRun): unknown {
  const { reason } = signal;
  if (!(reason instanceof DeadlineError)) return reason;
  return new DeadlineError(`${reason.message}: the credential plugin "${command}" did not finish`, {
    fix: `Log in with "${command}" first, because it may be waiting for input. Set a longer --timeout if it only needs more time.`,
    cause: reason,
  });
}

/** Why a plugin gives no credentials. */
class PluginFault extends Error {
  constructor(
    message: string,
    readonly fix: (run: PluginRun) => string,
  ) {
    super(message);
  }
}

const logIn = ({ exec: { command }, user }: PluginRun): string =>
  `Log in again with "${command}", or correct the exec section of user "${user}" in the kubeconfig.`;
const install = ({ exec: { command, installHint }, user }: PluginRun): string =>
  installHint?.trim() || `Install "${command}", or correct exec.command of user "${user}" in the kubeconfig.`;
const allow = ({ exec: { command }, user }: PluginRun): string =>
  `Make "${command}" an executable file, or correct exec.command of user "${user}" in the kubeconfig.`;
const atTerminal = ({ exec: { command } }: PluginRun): string => `Run the command in a terminal, because "${command}" asks for input.`;
const update = ({ exec: { command }, user }: PluginRun): string =>
  `Update "${command}", or correct the exec section of user "${user}" in the kubeconfig.`;

async function outputOf({ exec, cluster, env, interactive, signal }: PluginRun): Promise<string> {
  const { apiVersion, command = '', args, provideClusterInfo, interactiveMode } = exec;
  if (interactiveMode === 'Always' && !interactive) {
    throw new PluginFault('exec plugin cannot support interactive mode: standard input is not a terminal', atTerminal);
  }
  const asks = interactive && interactiveMode !== 'Never';
  const spec = { interactive: asks, ...(provideClusterInfo ? { cluster: clusterInfo(cluster) } : {}) };
  const info = JSON.stringify({ kind: 'ExecCredential', apiVersion, spec });
  const own = Object.fromEntries((exec.env ?? []).map(({ name, value }) => [name, value]));
  const plugin = spawn(command, args ?? [], {
    env: { ...env, ...own, KUBERNETES_EXEC_INFO: info },
    signal,
    // A plugin may ignore SIGTERM.
    killSignal: 'SIGKILL',
    // At a terminal the plugin may ask for a login, so that its messages are shown at once.
    stdio: [asks ? 'inherit' : 'ignore', 'pipe', interactive ? 'inherit' : 'pipe'],
  });
  const closed = once(plugin, 'close').catch((error: NodeJS.ErrnoException) => {
    throw error.syscall?.startsWith('spawn') ? startFault(command, error.code) : error;
  });
  const [[code, killedBy], output, errors] = await Promise.all([closed, textOf(plugin.stdout), textOf(plugin.stderr)]);
  if (code === 0) return output;
  const end = code === null ? `was killed by ${killedBy}` : `failed with exit code ${code}`;
  // Never stdout, which contains credentials.
  const last = errors.trim().split('\n').at(-1)?.trim().slice(0, 300);
  throw new PluginFault(`exec: executable ${command} ${end}${last ? `: ${last}` : ''}`, logIn);
}

const textOf = async (stream: Readable | null): Promise<string> => (stream ? text(stream) : '');

function startFault(command: string, code: string | undefined): PluginFault {
  if (code === 'ENOENT') return new PluginFault(`exec: executable ${command} not found`, install);
  return new PluginFault(`exec: ${command}: ${code === 'EACCES' ? 'permission denied' : `it cannot be started (${code})`}`, allow);
}

function credentialsIn(output: string, { command, apiVersion }: ExecConfig): ExecCredentialStatus {
  const refuse = (message: string): never => {
    throw new PluginFault(message, update);
  };
  if (output.trim() === '') return refuse(`exec: executable ${command} printed no ExecCredential`);
  const credential = parse(output) ?? refuse(`decoding stdout: executable ${command} did not print an ExecCredential as JSON`);
  const { kind = 'ExecCredential', apiVersion: returned, status } = credential;
  if (kind !== 'ExecCredential' || returned !== apiVersion) {
    const found = typeof returned === 'string' && returned.length < 100 ? returned : 'none';
    return refuse(`exec plugin is configured to use API version ${apiVersion}, plugin returned version ${found}`);
  }
  if (!status) return refuse("exec plugin didn't return a status field");
  const { token, clientCertificateData, clientKeyData } = status;
  if (!token && !clientCertificateData && !clientKeyData) return refuse("exec plugin didn't return a token or cert/key pair");
  if (!clientCertificateData !== !clientKeyData) return refuse('exec plugin returned only certificate or key, not both');
  return status;
}

interface ExecCredential {
  readonly kind?: unknown;
  readonly apiVersion?: unknown;
  readonly status?: ExecCredentialStatus | null;
}

function parse(output: string): ExecCredential | undefined {
  try {
    const parsed = JSON.parse(output);
    return typeof parsed === 'object' && parsed !== null ? parsed : undefined;
  } catch {
    return undefined;
  }
}

/**
 * What a plugin is told about the cluster (ExecConfig.provideClusterInfo;
 * k8s.io/client-go/rest/exec.go, ConfigToExecCluster). The proxy is that of the kubeconfig, not of
 * the environment.
 */
const clusterInfo = ({ server, caData, caFile, proxyUrl, proxyVariable, ...cluster }: ClusterEntry): object => ({
  server,
  'certificate-authority-data': caFile ? readFileSync(caFile, 'base64') : caData,
  'tls-server-name': cluster.tlsServerName,
  'insecure-skip-tls-verify': cluster.skipTLSVerify,
  'proxy-url': proxyVariable === undefined ? proxyUrl : undefined,
  'disable-compression': cluster.disableCompression,
  config: cluster.execConfig,
});
