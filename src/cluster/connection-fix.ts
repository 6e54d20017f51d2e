import net from 'node:net';
import { withoutPassword } from '../config/redact.ts';
import { shellWord } from '../config/shell-word.ts';
import { hostPort, notTls } from './go-errors.ts';
import { setCa, setClientCertificate } from './kubeconfig-rules.ts';

/** Where a connection leads, with the names that an error needs. */
export interface Destination {
  readonly server: string;
  readonly context: string;
  /** The names in the kubeconfig. */
  readonly cluster: string;
  readonly user: string;
  readonly tlsServerName: string | undefined;
  /** The CA of the cluster, PEM. */
  readonly ca: string | undefined;
  /** `from` is a variable of the environment; without it, it is the proxy-url of the cluster. */
  readonly proxy: { readonly url: string; readonly from: string | undefined } | undefined;
  readonly hasClientCertificate: boolean;
}

/** The host, without brackets, and the port of a server. */
export const addressOf = (server: string): { readonly host: string; readonly port: number } => {
  const { hostname, port, protocol } = new URL(server);
  return { host: hostname.replace(/^\[(.+)\]$/, '$1'), port: Number(port) || (protocol === 'http:' ? 80 : 443) };
};

type Fix = (to: Destination, message: string, names: readonly string[]) => string;

/** The fix for each kind of fault. The first that matches counts. */
const fixes: readonly (readonly [RegExp, Fix])[] = [
  [/^proxyconnect/, proxyFix],
  [/unknown authority/, ({ cluster }) => `${setCa(cluster)}\nCA_FILE must contain the CA that signed the certificate of kube-apiserver.`],
  [/x509: certificate has expired or is not yet valid/, () => renewal],
  [/legacy Common Name/, ({ server }) => `Issue a certificate for kube-apiserver with ${addressOf(server).host} in its subjectAltName.`],
  [/x509: (certificate is (not )?valid for|cannot validate)/, nameFix],
  [/HTTP response to HTTPS client|malformed HTTP response|does not look like a TLS handshake/, schemeFix],
  [/^remote error: tls: (.* certificate|.*certificate (required|authority)|access denied|error decrypting message)/, clientCertificateFix],
  [/protocol version/, () => 'Enable TLS 1.2 or newer on the server. For kube-apiserver, set --tls-min-version.'],
  [/lookup /, ({ cluster }) => `Check the DNS and VPN settings of this machine, and the server of cluster "${cluster}" in the kubeconfig.`],
  [
    /i\/o timeout|TLS handshake timeout|timeout awaiting|no route to host|network is unreachable|connection timed out/,
    ({ server }) => `Check that this machine can reach ${hostOf(server)}, and check its VPN, firewalls and proxies.`,
  ],
  [/EOF|connection reset|broken pipe/, closedFix],
];

const general = 'Check that the cluster is running, and that --context and --kubeconfig select the right one.';
const renewal =
  'Check the clock of this machine. If it is correct, renew the certificate of kube-apiserver. On a kubeadm control plane: kubeadm certs renew apiserver';

const hostOf = (server: string): string => {
  const { host, port } = addressOf(server);
  return hostPort(host, port);
};

/**
 * What solves a fault of a connection.
 * @param message as in the error of `unreachable`
 * @param names in the certificate of the server
 */
export const connectionFix = (message: string, to: Destination, names: readonly string[] = []): string =>
  fixes.find(([pattern]) => pattern.test(message))?.[1](to, message, names) ?? general;

function proxyFix({ proxy, server, cluster }: Destination): string {
  if (!proxy) return general;
  const source = proxy.from ?? `proxy-url of cluster "${cluster}" in the kubeconfig`;
  const around = proxy.from ? `, or add ${addressOf(server).host} to NO_PROXY` : '';
  return `Check the proxy ${withoutPassword(proxy.url)}, which ${source} sets${around}.`;
}

function nameFix({ cluster, server }: Destination, _: string, names: readonly string[]): string {
  const set = `kubectl config set-cluster ${shellWord(cluster)}`;
  const name = names.find((each) => !each.includes('*') && net.isIP(each) === 0);
  if (name) return `Set tls-server-name to a name in the certificate: ${set} --tls-server-name=${shellWord(name)}`;
  const { protocol, port } = new URL(server);
  const [address] = names.filter((each) => net.isIP(each) !== 0);
  if (address === undefined) return `Issue a certificate for kube-apiserver with ${addressOf(server).host} in its subjectAltName.`;
  const url = `${protocol}//${net.isIPv6(address) ? `[${address}]` : address}${port && `:${port}`}`;
  return `Set the server to an address in the certificate: ${set} --server=${url}`;
}

function schemeFix({ cluster, server }: Destination, message: string): string {
  const set = `kubectl config set-cluster ${shellWord(cluster)} --server=`;
  if (server.startsWith('http:'))
    return `The server does not speak plain HTTP. Use HTTPS: ${set}${shellWord(server.replace('http:', 'https:'))}`;
  if (message === notTls.http) return `The server speaks plain HTTP on this port. Set the URL of kube-apiserver: ${set}https://HOST:6443`;
  return `A program other than kube-apiserver listens on this port. Set the URL of kube-apiserver: ${set}https://HOST:6443`;
}

function clientCertificateFix({ user, hasClientCertificate }: Destination): string {
  const why = hasClientCertificate
    ? `The server rejects the client certificate of user "${user}".`
    : 'The server requires a client certificate.';
  return `${why} ${setClientCertificate(user)}`;
}

function closedFix({ cluster, server, hasClientCertificate }: Destination): string {
  const scheme = server.startsWith('http:') ? ' The URL of its server may need https:// instead of http://.' : '';
  const rejected = hasClientCertificate ? ' The server may also reject the client certificate.' : '';
  return `Check that the server of cluster "${cluster}" in the kubeconfig is kube-apiserver, and that no proxy or load balancer closes the connection.${scheme}${rejected}`;
}
