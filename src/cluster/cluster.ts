import http from 'node:http';
import type { KubeConfig } from '@kubernetes/client-node/dist/config.js';
import type { WebSocket } from 'ws';
import { withoutPassword } from '../config/redact.ts';
import { type Answer, lines, readAnswer } from './answer.ts';
import type { Destination } from './connection-fix.ts';
import { type Credentials, readCredentials } from './credentials.ts';
import { identity } from './identity.ts';
import { type ClusterOptions, loadKubeConfig } from './kubeconfig.ts';
import type { ClusterEntry } from './kubeconfig-file.ts';
import { type ClusterRequest, failureOf, followRequest, type Link, send, urlOf, withTimeLimit } from './link.ts';
import type { Trace } from './trace.ts';

/** A connection to one cluster as one user. The only way apisvc talks to Kubernetes. */
export interface Cluster {
  readonly server: string;
  readonly context: string;
  /** The user, for messages: its name in the kubeconfig, or the impersonated user. */
  readonly user: string;
  /** The user of --as, as whom all requests are sent. */
  readonly as: string | undefined;
  /** The client certificate, PEM, for messages about its dates. */
  readonly clientCertificate: string | undefined;
  /** When the token expires, in ISO 8601, if that is known. */
  readonly tokenExpiry?: string | undefined;
  /** @throws ClusterError when no answer comes; the reason of the signal */
  request(request: ClusterRequest): Promise<Answer>;
  /**
   * Opens a watch, and yields one line of JSON at a time until the server or the signal ends it.
   * @throws as `request`; StreamRefused for a status other than 200
   */
  stream(request: ClusterRequest): AsyncGenerator<string>;
  /**
   * Opens a WebSocket with this subprotocol. It is paused, so that no message is lost before the
   * caller listens. The signal ends only the attempt: the caller closes the WebSocket.
   * @throws as `request`; StreamRefused when the server does not upgrade the connection
   */
  webSocket(request: ClusterRequest, protocol: string): Promise<WebSocket>;
  close(): void;
}

/** The server answered a watch or a WebSocket request with something else. */
export class StreamRefused extends Error {
  constructor(readonly answer: Answer) {
    super(`status ${answer.status}`);
  }
}

/** The options that select the cluster, and how requests are sent. */
export interface ConnectOptions extends ClusterOptions {
  /** Whether a credential plugin may ask a person. */
  readonly interactive?: boolean | undefined;
  /** Gets a line for each request. */
  readonly trace?: Trace | undefined;
}

/**
 * Connects with the kubeconfig. Runs credential plugins, which `signal` kills, but sends no
 * request.
 * @throws UsageError or ClusterError, see `loadKubeConfig`
 */
export async function connect(options: ConnectOptions, env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<Cluster> {
  const config = loadKubeConfig(options, env);
  const credentials = await readCredentials(config, { env, interactive: options.interactive ?? false, signal });
  const { user, ...sent } = identity(config, credentials.options, options);
  const link: Link = { ...sent, destination: destinationOf(config, credentials), trace: options.trace };
  return {
    server: withoutPassword(link.destination.server),
    context: link.destination.context,
    user,
    as: options.as,
    clientCertificate: credentials.certificate,
    tokenExpiry: credentials.tokenExpiry,
    request: (request) =>
      withTimeLimit(link, request, async (attempt) => readAnswer(await send(link, request, attempt), request.keepBytes)),
    stream: (request) => stream(link, request),
    webSocket: (request, protocol) => webSocket(link, request, protocol),
    close: () => link.agent.destroy(),
  };
}

async function* stream(link: Link, request: ClusterRequest): AsyncGenerator<string> {
  const response = await withTimeLimit(link, request, (attempt) => send(link, request, attempt));
  if (response.statusCode !== 200) throw new StreamRefused(await readAnswer(response));
  try {
    yield* lines(response);
  } catch (error) {
    throw await failureOf(link, error, { signal: request.signal, stage: 'body' });
  } finally {
    response.destroy();
  }
}

async function webSocket(link: Link, request: ClusterRequest, protocol: string): Promise<WebSocket> {
  // Loaded on demand, because few commands need it.
  const { openWebSocket } = await import('./web-socket.ts');
  const { agent, trace } = link;
  const url = urlOf(link, request);
  const headers = { ...link.headers, ...link.impersonation };
  const opened = await withTimeLimit(link, request, async ({ signal, reach }) => {
    const onRequest = (outgoing: http.ClientRequest): void => followRequest(outgoing, url, { reach, trace });
    const found = await openWebSocket({ url, protocol, agent, headers, signal, onRequest });
    return found instanceof http.IncomingMessage ? readAnswer(found) : found;
  });
  if ('body' in opened) throw new StreamRefused(opened);
  return opened;
}

function destinationOf(config: KubeConfig, { ca, certificate }: Credentials): Destination {
  const { name, server, tlsServerName, proxyUrl, proxyVariable } = config.getCurrentCluster() as ClusterEntry;
  return {
    server,
    context: config.getCurrentContext(),
    cluster: name,
    user: config.getCurrentUser()?.name ?? '',
    tlsServerName,
    ca,
    proxy: proxyUrl ? { url: proxyUrl, from: proxyVariable } : undefined,
    hasClientCertificate: certificate !== undefined,
  };
}
