import http from 'node:http';
import https from 'node:https';
import tls, { createSecureContext, type SecureContext } from 'node:tls';
import type { KubeConfig } from '@kubernetes/client-node/dist/config.js';
import type { WebSocket } from 'ws';
import { UsageError } from '../errors.ts';
import { type Answer, lines, readAnswer, Unfinished } from './answer.ts';
import type { Progress, Stage } from './connection-error.ts';
import type { Destination } from './connection-fix.ts';
import { type Credentials, readCredentials } from './credentials.ts';
import { type ClusterOptions, loadKubeConfig } from './kubeconfig.ts';
import type { ClusterEntry, UserEntry } from './kubeconfig-file.ts';
import { withoutPassword } from './kubeconfig-rules.ts';

/** One request to kube-apiserver. `path` starts with a slash; `query` values are encoded here. */
export interface ClusterRequest {
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly body?: unknown;
  readonly contentType?: string;
  /** The media type of the Accept header, where it is not plain JSON. */
  readonly accept?: string;
  /** Ends the request; its reason is thrown. */
  readonly signal: AbortSignal;
  /** Time limit in ms, besides the signal. Default 10,000. */
  readonly timeoutMs?: number;
  /** The user to impersonate, in the groups that kube-apiserver adds by itself. */
  readonly as?: string;
  /**
   * How many bytes of the body to keep; the rest is read and dropped. Without it the whole body is
   * kept, up to 64 MiB.
   */
  readonly keepBytes?: number;
}

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

/** One attempt of a request. */
interface Attempt {
  readonly signal: AbortSignal;
  /** Reports how far it came. */
  readonly reach: (stage: Stage) => void;
}

/** The options that select the cluster, and whether a credential plugin may ask a person. */
export interface ConnectOptions extends ClusterOptions {
  readonly interactive?: boolean | undefined;
}

const defaultTimeoutMs = 10_000;

/**
 * Connects with the kubeconfig. Runs credential plugins, which `signal` kills, but sends no
 * request.
 * @throws UsageError or ClusterError, see `loadKubeConfig`
 */
export async function connect(options: ConnectOptions, env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<Cluster> {
  const config = loadKubeConfig(options, env);
  const credentials = await readCredentials(config, { env, interactive: options.interactive ?? false, signal });
  const { headers, agent, user } = identity(config, credentials.options, options);
  const destination = destinationOf(config, credentials);
  const { server, context } = destination;
  const transport = server.startsWith('http:') ? http : https;

  const open = (request: ClusterRequest, { signal, reach }: Attempt): Promise<http.IncomingMessage> =>
    new Promise((resolve, reject) => {
      const { 'impersonate-user': _, 'impersonate-uid': __, 'impersonate-group': ___, ...own } = headers;
      const body = request.body === undefined ? undefined : JSON.stringify(request.body);
      const outgoing = transport.request(url(server, request), {
        method: request.method ?? 'GET',
        agent,
        signal,
        headers: {
          ...(request.as === undefined ? headers : { ...own, 'impersonate-user': request.as }),
          accept: request.accept ?? 'application/json',
          ...(body === undefined
            ? {}
            : { 'content-type': request.contentType ?? 'application/json', 'content-length': Buffer.byteLength(body) }),
        },
      });
      followStages(outgoing, reach);
      outgoing.on('response', resolve);
      outgoing.on('error', reject);
      outgoing.end(body);
    });

  const failure = async (error: unknown, signal: AbortSignal, progress: Omit<Progress, 'signal'>): Promise<unknown> => {
    signal.throwIfAborted();
    // Loaded on demand, because most requests succeed.
    const { unreachable } = await import('./connection-error.ts');
    const found = await unreachable(error, destination, { ...progress, signal });
    signal.throwIfAborted();
    return found;
  };

  /** Applies the time limit of a request, and translates its errors. */
  const withTimeLimit = async <T>(request: ClusterRequest, exchange: (attempt: Attempt) => Promise<T>): Promise<T> => {
    request.signal.throwIfAborted();
    const limit = new AbortController();
    // Not AbortSignal.timeout: a watch that has started must outlive the limit.
    const timer = setTimeout(() => limit.abort(new DOMException('timed out', 'TimeoutError')), request.timeoutMs ?? defaultTimeoutMs);
    let stage: Stage = 'dial';
    const reach = (next: Stage): void => {
      if (!limit.signal.aborted) stage = next;
    };
    try {
      return await exchange({ signal: AbortSignal.any([request.signal, limit.signal]), reach });
    } catch (error) {
      const unfinished = error instanceof Unfinished ? error : undefined;
      const cause = limit.signal.aborted ? limit.signal.reason : (unfinished?.cause ?? error);
      throw await failure(cause, request.signal, { stage, received: unfinished?.received });
    } finally {
      clearTimeout(timer);
    }
  };

  return {
    server: withoutPassword(server),
    context,
    user,
    as: options.as,
    clientCertificate: credentials.certificate,
    tokenExpiry: credentials.tokenExpiry,
    request: (request) => withTimeLimit(request, async (attempt) => readAnswer(await open(request, attempt), request.keepBytes)),
    async *stream(request) {
      const { signal } = request;
      const response = await withTimeLimit(request, (attempt) => open(request, attempt));
      if (response.statusCode !== 200) throw new StreamRefused(await readAnswer(response));
      try {
        yield* lines(response);
      } catch (error) {
        signal.throwIfAborted();
        throw await failure(error, signal, { stage: 'body' });
      } finally {
        response.destroy();
      }
    },
    async webSocket(request, protocol) {
      // Loaded on demand, because few commands need it.
      const { openWebSocket } = await import('./web-socket.ts');
      const opened = await withTimeLimit(request, async ({ signal, reach }) => {
        const onRequest = (outgoing: http.ClientRequest): void => followStages(outgoing, reach);
        const found = await openWebSocket({ url: url(server, request), protocol, agent, headers, signal, onRequest });
        return found instanceof http.IncomingMessage ? readAnswer(found) : found;
      });
      if ('body' in opened) throw new StreamRefused(opened);
      return opened;
    },
    close: () => agent.destroy(),
  };
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

function followStages(outgoing: http.ClientRequest, reach: (stage: Stage) => void): void {
  outgoing.once('socket', (socket) => {
    const secure = 'encrypted' in socket && !outgoing.reusedSocket;
    if (socket.connecting) socket.once('connect', () => reach(secure ? 'handshake' : 'headers'));
    else reach(secure ? 'handshake' : 'headers');
    if (secure) socket.once('secureConnect', () => reach('headers'));
  });
  outgoing.once('response', () => reach('body'));
}

function identity(config: KubeConfig, credentials: https.RequestOptions, { as, asGroup = [] }: ClusterOptions) {
  const agent = credentials.agent as https.Agent & { keepAlive: boolean };
  // The agents of client-node open a connection for every request. Keep-alive needs only one TLS
  // handshake.
  agent.keepAlive = true;
  (agent.options as https.AgentOptions).checkServerIdentity = checkServerIdentity;
  // Parsed once, not for every connection.
  agent.options.secureContext = parsed(agent.options, config.getCurrentContext());
  const headers: http.OutgoingHttpHeaders = { 'user-agent': 'apisvc', ...(credentials.headers as http.OutgoingHttpHeaders) };
  if (credentials.auth) headers.authorization = `Basic ${Buffer.from(credentials.auth).toString('base64')}`;
  const { name, impersonateUser, impersonateUid, impersonateGroups = [] } = config.getCurrentUser() as UserEntry;
  // --as replaces the impersonation of the kubeconfig.
  const groups = asGroup.length > 0 || as !== undefined ? asGroup : impersonateGroups;
  if (as !== undefined) headers['impersonate-user'] = as;
  else if (impersonateUid) headers['impersonate-uid'] = impersonateUid;
  if (groups.length > 0) headers['impersonate-group'] = [...groups];
  return { agent, headers, user: as ?? impersonateUser ?? (name || 'anonymous') };
}

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
      fix: 'Correct the certificates and the key of the context. They are PEM files, or the same in base64.',
      cause,
    });
  }
}

function url(server: string, { path, query = {} }: ClusterRequest): URL {
  const result = new URL(server.replace(/\/$/, '') + path);
  for (const [key, value] of Object.entries(query)) if (value !== undefined) result.searchParams.set(key, value);
  return result;
}
