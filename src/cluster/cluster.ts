import http from 'node:http';
import https from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node/dist/config.js';
import type { WebSocket } from 'ws';
import { ClusterError, UsageError } from '../errors.ts';
import { type ExecConfig, runExecPlugin } from './exec-plugin.ts';
import { credentialsFault, unreachable } from './faults.ts';
import { type ClusterOptions, loadKubeConfig } from './kubeconfig.ts';

/** One request to kube-apiserver. `path` starts with a slash; `query` values are encoded here. */
export interface ClusterRequest {
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly body?: unknown;
  readonly contentType?: string;
  /** JSON in another form than that of the object itself, as a media type with parameters. */
  readonly accept?: string;
  /** Ends the request; its reason is thrown. */
  readonly signal: AbortSignal;
  /** Milliseconds until the request is given up, whatever the signal says. Default 10,000. */
  readonly timeoutMs?: number;
  /** Asks as this user, in the groups that kube-apiserver gives it by itself, instead of as who this is. */
  readonly as?: string;
  /** Bytes of the body that are kept; what follows is read and dropped. Without, the whole body is kept, and one of 64 MiB refused. */
  readonly keepBytes?: number;
}

/** What kube-apiserver answered, whatever the status. */
export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** A connection to one cluster as one user. The only way apisvc talks to Kubernetes. */
export interface Cluster {
  readonly server: string;
  readonly context: string;
  /** Who this is, for messages: the user's name in the kubeconfig, or who is impersonated. */
  readonly user: string;
  /** PEM of the client certificate in use, for messages about its dates. */
  readonly clientCertificate: string | undefined;
  /** @throws ClusterError when no answer comes; the signal's reason when it is aborted */
  request(request: ClusterRequest): Promise<Answer>;
  /** Opens a watch: yields one line of JSON at a time until the server or the signal ends it. Throws like `request`, also for a status other than 200. */
  stream(request: ClusterRequest): AsyncGenerator<string>;
  /**
   * Opens a WebSocket with this subprotocol, paused until somebody listens. Throws like `request`, and StreamRefused when the server answers otherwise. The
   * signal ends the attempt; from then on the WebSocket is the caller's.
   */
  webSocket(request: ClusterRequest, protocol: string): Promise<WebSocket>;
  close(): void;
}

/** An answer to a watch that is not a stream of events, or no WebSocket where one was asked for. */
export class StreamRefused extends Error {
  constructor(readonly answer: Answer) {
    super(`status ${answer.status}`);
  }
}

const defaultTimeoutMs = 10_000;
/** No answer that apisvc asks for is near this; a runaway server must not fill the memory. */
const maxBodyBytes = 64 * 1024 * 1024;

/**
 * Connects as the kubeconfig says. Nothing is sent before the first request; exec plugins run here, and `signal` kills them.
 * @throws UsageError or ClusterError, see `loadKubeConfig`
 */
export async function connect(options: ClusterOptions, env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<Cluster> {
  const config = loadKubeConfig(options, env);
  const server = config.getCurrentCluster()?.server ?? '';
  const credentials = await readCredentials(config, env, signal);
  const transport = server.startsWith('http:') ? http : https;
  const { headers, agent, user } = identity(config, credentials, options);

  const open = (request: ClusterRequest, signal: AbortSignal): Promise<http.IncomingMessage> =>
    new Promise((resolve, reject) => {
      const { 'impersonate-user': _, 'impersonate-group': __, ...own } = headers;
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
      outgoing.on('response', resolve);
      outgoing.on('error', reject);
      outgoing.end(body);
    });

  /** Runs one exchange under the request's own limit and gives failures their words. */
  const bounded = async <T>(request: ClusterRequest, exchange: (signal: AbortSignal) => Promise<T>): Promise<T> => {
    request.signal.throwIfAborted();
    const limit = new AbortController();
    // Not AbortSignal.timeout: a watch that has begun must outlive the limit for its beginning.
    const timer = setTimeout(() => limit.abort(new DOMException('timed out', 'TimeoutError')), request.timeoutMs ?? defaultTimeoutMs);
    try {
      return await exchange(AbortSignal.any([request.signal, limit.signal]));
    } catch (error) {
      request.signal.throwIfAborted();
      // Nothing was sent: Node could not make anything of what the kubeconfig holds.
      if (/^ERR_OSSL_(PEM|ASN1|X509)/.test((error as NodeJS.ErrnoException).code ?? '')) {
        throw new UsageError(`a certificate or key of context "${config.getCurrentContext()}" in the kubeconfig is damaged`, {
          cause: error,
        });
      }
      throw unreachable(limit.signal.aborted ? limit.signal.reason : error, server, config.getCurrentContext());
    } finally {
      clearTimeout(timer);
    }
  };

  return {
    server,
    context: config.getCurrentContext(),
    user,
    clientCertificate: typeof credentials.cert === 'string' || Buffer.isBuffer(credentials.cert) ? credentials.cert.toString() : undefined,
    request: (request) => bounded(request, async (signal) => readAnswer(await open(request, signal), request.keepBytes)),
    async *stream(request) {
      const { signal } = request;
      const response = await bounded(request, (limited) => open(request, limited));
      if (response.statusCode !== 200) throw new StreamRefused(await readAnswer(response));
      try {
        yield* lines(response);
      } catch (error) {
        signal.throwIfAborted();
        throw unreachable(error, server, config.getCurrentContext());
      } finally {
        response.destroy();
      }
    },
    async webSocket(request, protocol) {
      // Few commands need it; the others are not to wait until it is loaded.
      const { openWebSocket } = await import('./web-socket.ts');
      const opened = await bounded(request, async (signal) => {
        const found = await openWebSocket({ url: url(server, request), protocol, agent, headers, signal });
        return found instanceof http.IncomingMessage ? readAnswer(found) : found;
      });
      if ('body' in opened) throw new StreamRefused(opened);
      return opened;
    },
    close: () => agent.destroy(),
  };
}

async function readCredentials(config: KubeConfig, env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<https.RequestOptions> {
  const options: https.RequestOptions = {};
  try {
    await runExecPlugin(config, env, signal);
    await config.applyToHTTPSOptions(options);
    return options;
  } catch (cause) {
    signal.throwIfAborted();
    const { installHint }: ExecConfig = config.getCurrentUser()?.exec ?? {};
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT' && installHint !== undefined;
    throw new ClusterError(`failed to get credentials for context "${config.getCurrentContext()}": ${credentialsFault(cause)}`, {
      ...(missing ? { fix: installHint.trim() } : {}),
      cause,
    });
  }
}

function identity(config: KubeConfig, credentials: https.RequestOptions, { as, asGroup = [] }: ClusterOptions) {
  const agent = credentials.agent as https.Agent & { keepAlive: boolean };
  // One handshake serves the whole command; client-node's agents open a connection for every request.
  agent.keepAlive = true;
  const headers: http.OutgoingHttpHeaders = { 'user-agent': 'apisvc', ...(credentials.headers as http.OutgoingHttpHeaders) };
  if (credentials.auth) headers.authorization = `Basic ${Buffer.from(credentials.auth).toString('base64')}`;
  if (as !== undefined) headers['impersonate-user'] = as;
  if (asGroup.length > 0) headers['impersonate-group'] = [...asGroup];
  return { agent, headers, user: as ?? config.getCurrentUser()?.name ?? 'anonymous' };
}

function url(server: string, { path, query = {} }: ClusterRequest): URL {
  const result = new URL(server.replace(/\/$/, '') + path);
  for (const [key, value] of Object.entries(query)) if (value !== undefined) result.searchParams.set(key, value);
  return result;
}

/** Reads an answer to its end, which keeps the connection for the next request. @param keepBytes - bytes of the body that are wanted */
export async function readAnswer(response: http.IncomingMessage, keepBytes = maxBodyBytes): Promise<Answer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    const missing = keepBytes - size;
    size += chunk.length;
    if (size > maxBodyBytes) throw new Error(`the answer is larger than ${maxBodyBytes} bytes`);
    if (missing > 0) chunks.push(chunk.subarray(0, missing));
  }
  return { status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') };
}

async function* lines(response: http.IncomingMessage): AsyncGenerator<string> {
  response.setEncoding('utf8');
  let rest = '';
  for await (const chunk of response as AsyncIterable<string>) {
    const [head = '', ...more] = chunk.split('\n');
    rest += head;
    if (rest.length > maxBodyBytes) throw new Error(`an event is larger than ${maxBodyBytes} bytes`);
    for (const part of more) {
      if (rest !== '') yield rest;
      rest = part;
    }
  }
}
