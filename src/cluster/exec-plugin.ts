import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import type { Cluster } from '@kubernetes/client-node';
import type { KubeConfig } from '@kubernetes/client-node/dist/config.js';

/** The `exec` section of a user (k8s.io/client-go/tools/clientcmd/api/v1/types.go, ExecConfig). */
export interface ExecConfig {
  readonly apiVersion?: string;
  readonly command?: string;
  readonly args?: readonly string[] | null;
  readonly env?: readonly { readonly name: string; readonly value: string }[] | null;
  readonly provideClusterInfo?: boolean;
  readonly installHint?: string;
}

/**
 * The credentials that a plugin prints (k8s.io/client-go/pkg/apis/clientauthentication/v1/types.go,
 * ExecCredentialStatus).
 */
interface ExecCredentialStatus {
  readonly token?: string;
  readonly clientCertificateData?: string;
  readonly clientKeyData?: string;
}

/**
 * Runs the credential plugin of the current user, and replaces the `exec` section in `config` by
 * the credentials. client-node can run plugins too, but only in a way that outlives the signal.
 * @param signal kills the plugin, which may be waiting for a login in a browser
 * @throws Error with the reason; errors of Node for a command that does not start
 */
export async function runExecPlugin(config: KubeConfig, env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<void> {
  const user = config.getCurrentUser();
  if (!user?.exec) return;
  const { exec, ...others } = user;
  const { token, clientCertificateData, clientKeyData } = await credentialsOf(exec, config.getCurrentCluster(), env, signal);
  const credentials = {
    // A token in the kubeconfig wins (k8s.io/client-go/plugin/pkg/client/auth/exec/exec.go,
    // RoundTrip).
    ...(token === undefined || others.token ? {} : { token }),
    ...(clientCertificateData === undefined ? {} : { certData: base64(clientCertificateData) }),
    ...(clientKeyData === undefined ? {} : { keyData: base64(clientKeyData) }),
  };
  config.users = config.users.map((each) => (each.name === user.name ? { ...others, ...credentials } : each));
}

async function credentialsOf(
  exec: ExecConfig,
  cluster: Cluster | null,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<ExecCredentialStatus> {
  const { apiVersion, command, args, provideClusterInfo } = exec;
  if (!command) throw new Error('the exec section of the user has no command');
  const spec = { interactive: false, ...(provideClusterInfo && cluster ? { cluster: clusterInfo(cluster) } : {}) };
  const info = JSON.stringify({ kind: 'ExecCredential', apiVersion, spec });
  const own = Object.fromEntries((exec.env ?? []).map(({ name, value }) => [name, value]));
  const output = await outputOf(command, args ?? [], { ...env, ...own, KUBERNETES_EXEC_INFO: info }, signal);
  const status: ExecCredentialStatus | undefined = JSON.parse(output)?.status;
  if (status?.token || (status?.clientCertificateData && status.clientKeyData)) return status;
  throw new Error('the credential plugin printed neither a token nor a client certificate with its key');
}

async function outputOf(command: string, args: readonly string[], env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<string> {
  // SIGKILL, because a plugin may ignore SIGTERM.
  const plugin = spawn(command, args, { env, signal, killSignal: 'SIGKILL', stdio: ['ignore', 'pipe', 'pipe'] });
  const [[code], output, errors] = await Promise.all([once(plugin, 'close'), text(plugin.stdout), text(plugin.stderr)]);
  if (code !== 0) throw new Error(errors);
  return output;
}

/** What a plugin is told about the cluster (ExecConfig.provideClusterInfo). */
const clusterInfo = ({ server, caData, caFile, tlsServerName, skipTLSVerify, proxyUrl }: Cluster): object => ({
  server,
  'certificate-authority-data': caFile ? readFileSync(caFile, 'base64') : caData,
  'tls-server-name': tlsServerName,
  'insecure-skip-tls-verify': skipTLSVerify,
  'proxy-url': proxyUrl,
});

const base64 = (pem: string): string => Buffer.from(pem).toString('base64');
