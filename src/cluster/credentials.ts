import { createPrivateKey, X509Certificate } from 'node:crypto';
import type https from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node/dist/config.js';
import { readFile } from '../config/pipes.ts';
import { ClusterError, UsageError } from '../errors.ts';
import { inspect } from '../pki/inspect.ts';
import type { ClusterEntry, UserEntry } from './kubeconfig-file.ts';
import { setCa, setClientCertificate, setToken, unreadableReason } from './kubeconfig-rules.ts';

/** What a request needs to be trusted, and to trust the server. */
export interface Credentials {
  readonly options: https.RequestOptions;
  /** The CA of the cluster, PEM; undefined for the public CAs. */
  readonly ca: string | undefined;
  /** The client certificate, PEM. */
  readonly certificate: string | undefined;
  /** When the token expires, in ISO 8601, if that is known. */
  readonly tokenExpiry: string | undefined;
}

/** How to get the credentials of a user. */
export interface CredentialsOptions {
  readonly env: NodeJS.ProcessEnv;
  /** Whether a credential plugin may ask a person. */
  readonly interactive: boolean;
  readonly signal: AbortSignal;
}

/**
 * Gets the credentials of the current context, from files or a credential plugin. Refuses damaged
 * ones as kubectl does (k8s.io/client-go/transport/transport.go, TLSConfigFor), because the request
 * would go on as system:anonymous otherwise.
 * @param config - checked by `loadKubeConfig`
 * @throws UsageError for damaged files; ClusterError when a plugin gives no credentials; the reason
 * of the signal
 */
export async function readCredentials(config: KubeConfig, options: CredentialsOptions): Promise<Credentials> {
  const cluster = config.getCurrentCluster() as ClusterEntry;
  const ca = certificateAuthority(cluster);
  const { user, tokenExpiry } = await resolved(config, cluster, options);
  const pair = clientPair(user);
  // The authenticators of client-node are not needed any more.
  const { exec: _, authProvider: __, certFile: ___, keyFile: ____, ...simple } = user;
  config.users = [...config.users.filter(({ name }) => name !== user.name), { ...simple, ...pair }];
  const requestOptions: https.RequestOptions = {};
  await config.applyToHTTPSOptions(requestOptions);
  return { options: requestOptions, ca, certificate: pair && decoded(pair.certData), tokenExpiry };
}

interface Resolved {
  /** With a token or a client certificate. */
  readonly user: UserEntry;
  readonly tokenExpiry: string | undefined;
}

async function resolved(config: KubeConfig, cluster: ClusterEntry, options: CredentialsOptions): Promise<Resolved> {
  const user = config.getCurrentUser() as UserEntry;
  const { exec, authProvider, tokenFile } = user;
  const fromFile = tokenFile && tokenIn(tokenFile, user);
  if (fromFile) return withToken(user, fromFile);
  if (user.token) return withToken(user, user.token);
  // Other credentials win over a plugin (k8s.io/client-go/plugin/pkg/client/auth/exec/exec.go,
  // UpdateTransportConfig).
  if (user.username || user.certData || user.certFile) return { user, tokenExpiry: undefined };
  if (authProvider) return withToken(user, idToken(user, config.getCurrentContext()));
  if (!exec) return { user, tokenExpiry: undefined };
  // Loaded on demand, because many kubeconfigs need no plugin.
  const { runExecPlugin } = await import('./exec-plugin.ts');
  const status = await runExecPlugin({ ...options, exec, user: user.name, context: config.getCurrentContext(), cluster });
  const { token, clientCertificateData: certificate, clientKeyData: key, expirationTimestamp } = status;
  const pair = certificate && key ? { certData: encoded(certificate), keyData: encoded(key) } : {};
  return {
    user: { ...user, ...pair, ...(token ? { token } : {}) },
    tokenExpiry: isoTime(expirationTimestamp) ?? (token && expiryOf(token)),
  };
}

const withToken = (user: UserEntry, token: string): Resolved => ({ user: { ...user, token }, tokenExpiry: expiryOf(token) });

const encoded = (pem: string): string => Buffer.from(pem).toString('base64');
const decoded = (data: string): string => Buffer.from(data, 'base64').toString();

/** A token in the kubeconfig is the fallback (clientcmd/api/types.go, TokenFile). */
function tokenIn(file: string, { name, token }: UserEntry): string | undefined {
  try {
    const found = readFile(file).toString().trim();
    if (found !== '' || token) return found || undefined;
  } catch (cause) {
    if (token) return undefined;
    throw new UsageError(`unable to read tokenFile ${file} for ${name} due to ${unreadableReason(file) ?? 'it is not a file'}`, {
      fix: setToken(name),
      cause,
    });
  }
  throw new UsageError(`unable to read tokenFile ${file} for ${name}: it is empty`, { fix: setToken(name) });
}

/**
 * The id-token of the auth provider oidc. apisvc does not renew it: many providers accept a refresh
 * token only once, and kubectl stores the next one in the kubeconfig
 * (k8s.io/client-go/plugin/pkg/client/auth/oidc/oidc.go, idToken).
 * @throws ClusterError when it has expired
 */
function idToken({ name, authProvider }: UserEntry, context: string): string {
  const { 'id-token': token = '', 'refresh-token': refreshToken } = authProvider?.config ?? {};
  const expiry = token && expiryOf(token);
  if (expiry && Date.parse(expiry) > Date.now()) return token;
  const why =
    token === '' ? 'has no id-token' : expiry ? `has an id-token that expired on ${expiry}` : 'has an id-token that is not a valid JWT';
  const fix = refreshToken
    ? 'Let kubectl renew the token and store it in the kubeconfig: kubectl get --raw /version'
    : 'Log in again with the program that wrote the kubeconfig.';
  throw new ClusterError(`failed to get credentials for context "${context}": user "${name}" ${why}`, { fix });
}

/** The `exp` of a JWT (RFC 7519 4.1.4), in ISO 8601; undefined for other tokens. */
function expiryOf(token: string): string | undefined {
  const [, payload = '', signature] = token.split('.');
  if (signature === undefined) return undefined;
  try {
    const { exp } = JSON.parse(Buffer.from(payload, 'base64url').toString());
    return typeof exp === 'number' ? isoTime(exp * 1000) : undefined;
  } catch {
    return undefined;
  }
}

function isoTime(time: string | number | undefined): string | undefined {
  const date = new Date(time ?? Number.NaN);
  return Number.isNaN(date.getTime()) ? undefined : `${date.toISOString().slice(0, 19)}Z`;
}

/** @throws UsageError when no certificate is in it (transport.go, createErrorParsingCAData) */
function certificateAuthority({ name, caFile, caData }: ClusterEntry): string | undefined {
  const pem = contentOf(caFile, caData, `unable to read certificate-authority ${caFile} for ${name}`, setCa(name));
  if (pem === undefined) return undefined;
  const { items, certificates } = inspect(pem);
  const [broken] = items.flatMap((item) => (item.kind === 'broken' ? [item] : []));
  if (certificates.length > 0) return pem;
  const why = broken ? broken.reason : items.length > 0 ? 'no valid certificate authority data seen' : 'unable to parse bytes as PEM block';
  throw new UsageError(
    `${caFile ? `certificate-authority ${caFile}` : 'certificate-authority-data'} of cluster "${name}": unable to load root certificates: ${why}`,
    {
      fix: setCa(name),
    },
  );
}

/**
 * The client certificate and its key, in base64.
 * @throws UsageError when one is damaged, or when they do not belong together (Go's crypto/tls,
 * X509KeyPair)
 */
function clientPair({ name, certFile, certData, keyFile, keyData }: UserEntry): { certData: string; keyData: string } | undefined {
  const fix = setClientCertificate(name);
  const certificate = contentOf(certFile, certData, `unable to read client-cert ${certFile} for ${name}`, fix);
  const key = contentOf(keyFile, keyData, `unable to read client-key ${keyFile} for ${name}`, fix);
  if (certificate === undefined || key === undefined) return undefined;
  const fault = pairFault(certificate, key);
  if (fault) throw new UsageError(`client certificate of user "${name}" in the kubeconfig: ${fault}`, { fix });
  return { certData: encoded(certificate), keyData: encoded(key) };
}

function pairFault(certificate: string, key: string): string | undefined {
  const { items, certificates } = inspect(certificate);
  const [leaf] = certificates;
  if (!leaf) {
    const [broken] = items.flatMap((item) => (item.kind === 'broken' ? [item.reason] : []));
    return `tls: failed to find any PEM data in certificate input${broken ? `: ${broken}` : ''}`;
  }
  const keys = inspect(key).items.flatMap((item) => (item.kind === 'private-key' ? [item] : []));
  if (keys.length === 0) return 'tls: failed to find any PEM data in key input';
  if (keys[0]?.encrypted) return 'tls: failed to parse private key: it is encrypted, but a client key must not be encrypted';
  try {
    return new X509Certificate(leaf.pem).checkPrivateKey(createPrivateKey(key)) ? undefined : 'tls: private key does not match public key';
  } catch {
    return 'tls: failed to parse private key';
  }
}

/** The text of a file or of data in base64; undefined without both. */
function contentOf(file: string | undefined, data: string | undefined, message: string, fix: string): string | undefined {
  if (!file) return data ? decoded(data) : undefined;
  try {
    return readFile(file).toString();
  } catch (cause) {
    throw new UsageError(`${message} due to ${unreadableReason(file) ?? 'it is not a file'}`, { fix, cause });
  }
}
