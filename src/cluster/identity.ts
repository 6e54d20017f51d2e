import type http from 'node:http';
import type https from 'node:https';
import tls, { createSecureContext, type SecureContext } from 'node:tls';
import type { KubeConfig } from '@kubernetes/client-node/dist/config.js';
import { UsageError } from '../errors.ts';
import type { ClusterOptions } from './kubeconfig.ts';
import type { UserEntry } from './kubeconfig-file.ts';
import type { Link } from './link.ts';

/** The user, for messages: its name in the kubeconfig, or the impersonated user. */
export interface Identity extends Omit<Link, 'destination'> {
  readonly user: string;
}

/**
 * The connections and the headers of the user of the current context.
 * @param credentials of client-node
 * @throws UsageError when OpenSSL cannot read a certificate or key of the kubeconfig
 */
export function identity(config: KubeConfig, credentials: https.RequestOptions, options: ClusterOptions): Identity {
  const agent = credentials.agent as https.Agent & { keepAlive: boolean };
  // The agents of client-node open a connection for every request. Keep-alive needs only one TLS
  // handshake.
  agent.keepAlive = true;
  (agent.options as https.AgentOptions).checkServerIdentity = checkServerIdentity;
  // Parsed once, not for every connection.
  agent.options.secureContext = parsed(agent.options, config.getCurrentContext());
  const headers: http.OutgoingHttpHeaders = { 'user-agent': 'apisvc', ...(credentials.headers as http.OutgoingHttpHeaders) };
  delete headers['Impersonate-User'];
  if (credentials.auth) headers.authorization = `Basic ${Buffer.from(credentials.auth).toString('base64')}`;
  const entry = config.getCurrentUser() as UserEntry;
  return {
    agent,
    headers,
    impersonation: impersonationOf(entry, options),
    user: options.as ?? entry.impersonateUser ?? (entry.name || 'anonymous'),
  };
}

/**
 * The headers of --as and --as-group, which replace the impersonation of the kubeconfig
 * (k8s.io/client-go/transport/round_trippers.go, impersonatingRoundTripper).
 */
function impersonationOf(entry: UserEntry, { as, asGroup = [] }: ClusterOptions): http.OutgoingHttpHeaders {
  const { impersonateUser, impersonateUid, impersonateGroups = [], impersonateExtra = {} } = as === undefined ? entry : {};
  const user = as ?? impersonateUser;
  const groups = asGroup.length > 0 ? asGroup : impersonateGroups;
  return {
    ...(user === undefined ? {} : { 'impersonate-user': user }),
    ...(impersonateUid === undefined ? {} : { 'impersonate-uid': impersonateUid }),
    ...(groups.length > 0 ? { 'impersonate-group': [...groups] } : {}),
    ...Object.fromEntries(Object.entries(impersonateExtra).map(([key, values]) => [`impersonate-extra-${escaped(key)}`, [...values]])),
  };
}

/** The bytes that a header name cannot contain, and `%`, in percent-encoding (headerKeyEscape). */
const escaped = (key: string): string =>
  Array.from(Buffer.from(key), (byte) => {
    const character = String.fromCharCode(byte);
    return /[!#$&'*+.^_`|~0-9A-Za-z-]/.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }).join('');

/** Unlike Node, Go ignores the common name of a certificate without subjectAltName. */
function checkServerIdentity(hostname: string, certificate: tls.PeerCertificate): Error | undefined {
  const fault = tls.checkServerIdentity(hostname, certificate);
  if (fault || certificate.subjectaltname) return fault;
  return Object.assign(new Error('no subjectAltName'), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
}

/** @throws UsageError when OpenSSL cannot read a certificate or key of the kubeconfig */
function parsed(options: https.AgentOptions, context: string): SecureContext {
  try {
    return createSecureContext(options);
  } catch (cause) {
    throw new UsageError(`failed to parse a certificate or key for context "${context}" in the kubeconfig`, {
      fix: 'Correct the certificates and the key of the context. They must be PEM files or base64-encoded PEM data.',
      cause,
    });
  }
}
