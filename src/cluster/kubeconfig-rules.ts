import { closeSync, openSync } from 'node:fs';
import { fileReason } from '../config/file-errors.ts';
import { refusePipe } from '../config/pipes.ts';
import { withoutPassword } from '../config/redact.ts';
import { shellWord } from '../config/shell-word.ts';
import type { ClusterEntry, UserEntry } from './kubeconfig-file.ts';

/** A reason to refuse a kubeconfig, and what solves it. */
export interface KubeconfigFault {
  readonly message: string;
  readonly fix: string;
}

/**
 * The rules of kubectl for a cluster (k8s.io/client-go/tools/clientcmd/validation.go,
 * validateClusterInfo, and rest/url_utils.go, DefaultServerURL). A server without scheme is refused
 * too: kubectl would send credentials without TLS.
 */
export function clusterFaults(cluster: ClusterEntry): KubeconfigFault[] {
  const { name, caFile, caData, skipTLSVerify, proxyUrl } = cluster;
  const faults = [...serverFaults(cluster)];
  if (proxyUrl && !cluster.proxyVariable && !isProxy(proxyUrl)) {
    faults.push({
      message: `invalid 'proxy-url' ${JSON.stringify(withoutPassword(proxyUrl))} for cluster "${name}": it must be a URL that starts with http://, https:// or socks5://`,
      fix: `Correct the proxy: kubectl config set-cluster ${shellWord(name)} --proxy-url=http://HOST:PORT`,
    });
  }
  if (caFile && caData) {
    faults.push({
      message: `certificate-authority-data and certificate-authority are both specified for ${name}`,
      fix: `Remove one of them from cluster "${name}" in the kubeconfig.`,
    });
  }
  const unreadable = caFile && unreadableReason(caFile);
  if (unreadable)
    faults.push({ message: `unable to read certificate-authority ${caFile} for ${name} due to ${unreadable}`, fix: setCa(name) });
  if ((caFile || caData) && skipTLSVerify && !cluster.server.startsWith('http:')) {
    faults.push({
      message: `specifying a root certificates file with the insecure flag is not allowed, for ${name}`,
      fix: `Remove insecure-skip-tls-verify from cluster "${name}" in the kubeconfig.`,
    });
  }
  return faults;
}

function serverFaults({ name, server }: ClusterEntry): KubeconfigFault[] {
  const set = (url: string): string => `Set the server: kubectl config set-cluster ${shellWord(name)} --server=${url}`;
  if (server === '') return [{ message: `no server found for cluster "${name}"`, fix: set('https://HOST:6443') }];
  const { protocol = '', host = '' } = URL.canParse(server) ? new URL(server) : {};
  if (/^https?:$/.test(protocol) && host !== '') return [];
  if (/^[\w.-]+(:\d+)?$|^\[[\da-f:]+\](:\d+)?$/i.test(server)) {
    return [{ message: `server "${server}" of cluster "${name}" has no scheme`, fix: set(`https://${server}`) }];
  }
  const scheme = /^([a-z][\w+.-]*):\/\//i.exec(server)?.[1];
  const message =
    scheme && !/^https?$/i.test(scheme)
      ? `server "${withoutPassword(server)}" of cluster "${name}": unsupported protocol scheme "${scheme}"`
      : `server of cluster "${name}": host must be a URL or a host:port pair: "${withoutPassword(server)}"`;
  return [{ message, fix: set('https://HOST:6443') }];
}

/** clientcmd/helpers.go, parseProxyURL. */
const isProxy = (url: string): boolean => /^(https?|socks5):\/\/./.test(url) && URL.canParse(url);

/** The command that sets the CA of a cluster. */
export const setCa = (cluster: string): string =>
  `Set the CA of the cluster: kubectl config set-cluster ${shellWord(cluster)} --certificate-authority=CA_FILE --embed-certs`;

/** The command that sets the client certificate of a user. */
export const setClientCertificate = (user: string): string =>
  `Set the client certificate and its key, or log in again: kubectl config set-credentials ${shellWord(user)} --client-certificate=FILE --client-key=FILE --embed-certs`;

/**
 * The rules of kubectl for a user (validation.go, validateAuthInfo). A client key without a
 * certificate is refused too: kubectl would ask for a user name then.
 */
export const userFaults = (user: UserEntry): KubeconfigFault[] => [
  ...certificateFaults(user),
  ...methodFaults(user),
  ...execFaults(user),
  ...providerFaults(user),
];

function certificateFaults({ name, certFile, certData, keyFile, keyData }: UserEntry): KubeconfigFault[] {
  const fix = setClientCertificate(name);
  const remove = `Remove one of them from user "${name}" in the kubeconfig.`;
  const faults: KubeconfigFault[] = [];
  if (certFile && certData) faults.push({ message: `client-cert-data and client-cert are both specified for ${name}`, fix: remove });
  if (keyFile && keyData) faults.push({ message: `client-key-data and client-key are both specified for ${name}`, fix: remove });
  const [hasCertificate, hasKey] = [Boolean(certFile || certData), Boolean(keyFile || keyData)];
  if (hasCertificate !== hasKey) {
    const missing = hasKey ? 'client-cert-data or client-cert' : 'client-key-data or client-key';
    faults.push({ message: `${missing} must be specified for ${name} to use the clientCert authentication method`, fix });
  }
  for (const [label, file] of [['client-cert', certFile] as const, ['client-key', keyFile] as const]) {
    const reason = file && unreadableReason(file);
    if (reason) faults.push({ message: `unable to read ${label} ${file} for ${name} due to ${reason}`, fix });
  }
  return faults;
}

function methodFaults({ name, token, tokenFile, username, password, ...user }: UserEntry): KubeconfigFault[] {
  const faults: KubeconfigFault[] = [];
  if (token && (username || password)) {
    faults.push({
      message: `more than one authentication method found for ${name}; found [token basicAuth], only one is allowed`,
      fix: `Remove one of them from user "${name}" in the kubeconfig.`,
    });
  }
  const reason = !token && tokenFile ? unreadableReason(tokenFile) : undefined;
  if (reason) faults.push({ message: `unable to read tokenFile ${tokenFile} for ${name} due to ${reason}`, fix: setToken(name) });
  if (
    (user.impersonateUid || user.impersonateGroups?.length || Object.keys(user.impersonateExtra ?? {}).length > 0) &&
    !user.impersonateUser
  ) {
    faults.push({
      message: `requesting uid, groups or user-extra for ${name} without impersonating a user`,
      fix: `Set "as" of user "${name}" in the kubeconfig, or remove "as-uid", "as-groups" and "as-user-extra".`,
    });
  }
  return faults;
}

/** What to do about a token file that gives no token. */
export const setToken = (user: string): string =>
  `Set tokenFile of user "${user}" in the kubeconfig to a file with a token, or log in again.`;

const execVersions = ['client.authentication.k8s.io/v1', 'client.authentication.k8s.io/v1beta1'];

function execFaults({ name, exec, authProvider }: UserEntry): KubeconfigFault[] {
  if (!exec) return [];
  const { command, apiVersion, env, interactiveMode } = exec;
  const must = (field: string): KubeconfigFault => ({
    message: `${field} must be specified for ${name} to use exec authentication plugin`,
    fix: `Set exec.${field} of user "${name}" in the kubeconfig.`,
  });
  const faults: KubeconfigFault[] = [];
  if (authProvider) {
    const message = `authProvider cannot be provided in combination with an exec plugin for ${name}`;
    faults.push({ message, fix: `Remove auth-provider from user "${name}" in the kubeconfig.` });
  }
  if (!command) faults.push(must('command'));
  if (!apiVersion) faults.push(must('apiVersion'));
  else if (!execVersions.includes(apiVersion)) {
    const fix = `Update the credential plugin "${command}", and set exec.apiVersion of user "${name}" to ${execVersions[0]}.`;
    faults.push({ message: `exec plugin: invalid apiVersion "${apiVersion}" for ${name}`, fix });
  }
  if (env?.some((variable) => !variable.name)) {
    const message = `env variable name must be specified for ${name} to use exec authentication plugin`;
    faults.push({ message, fix: `Give each entry of exec.env of user "${name}" a name.` });
  }
  // v1beta1 has a default (clientcmd/api/v1/defaults.go).
  if (!interactiveMode && apiVersion === execVersions[0]) {
    faults.push({ ...must('interactiveMode'), fix: `Set exec.interactiveMode of user "${name}" to IfAvailable, Always or Never.` });
  }
  if (interactiveMode && !['Never', 'IfAvailable', 'Always'].includes(interactiveMode)) {
    const fix = `Set exec.interactiveMode of user "${name}" to IfAvailable, Always or Never.`;
    faults.push({ message: `invalid interactiveMode for ${name}: "${interactiveMode}"`, fix });
  }
  return faults;
}

/**
 * The auth providers that client-go removed in 1.26 (k8s.io/client-go/plugin/pkg/client/auth), with
 * the commands that replace them.
 */
const removedProviders: Readonly<Record<string, string>> = {
  gcp: 'Install gke-gcloud-auth-plugin, then get a new kubeconfig: gcloud container clusters get-credentials CLUSTER',
  azure: 'Install kubelogin, then convert the kubeconfig: kubelogin convert-kubeconfig',
};

function providerFaults({ name: user, authProvider }: UserEntry): KubeconfigFault[] {
  const { name = '', config } = authProvider ?? {};
  if (!authProvider) return [];
  const removed = Object.hasOwn(removedProviders, name) ? removedProviders[name] : undefined;
  if (removed) return [{ message: `the ${name} auth plugin of user "${user}" has been removed from Kubernetes clients`, fix: removed }];
  if (name !== 'oidc') {
    const fix = `Use a credential plugin (exec) for user "${user}", or log in again to get a new kubeconfig.`;
    return [{ message: `no Auth Provider found for name "${name}" of user "${user}"`, fix }];
  }
  const missing = ['idp-issuer-url', 'client-id'].find((key) => !config?.[key]);
  if (!missing) return [];
  const fix = `Set auth-provider.config.${missing} of user "${user}" in the kubeconfig.`;
  return [{ message: `Must provide ${missing} for auth provider oidc of user "${user}"`, fix }];
}

/** Why a file cannot be opened, as Go's os package says it. */
export function unreadableReason(file: string): string | undefined {
  try {
    refusePipe(file);
    closeSync(openSync(file, 'r'));
    return undefined;
  } catch (cause) {
    return `open ${file}: ${fileReason(cause)}`;
  }
}
