import http from 'node:http';
import https from 'node:https';
import { createSecureContext, type SecureContext } from 'node:tls';
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

/** An answer of kube-apiserver, whatever its status. */
export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** A connection to one cluster as one user. The only way apisvc talks to Kubernetes. */
export interface Cluster {
  readonly server: string;
  readonly context: string;
  /** The user, for messages: its name in the kubeconfig, or the impersonated user. */
  readonly user: string;
  /** The client certificate, PEM, for messages about its dates. */
  readonly clientCertificate: string | undefined;
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

const defaultTimeoutMs = 10_000;
/** Protects the memory from a runaway server. Real answers are much smaller. */
const maxBodyBytes = 64 * 1024 * 1024;

/**
 * Connects with the kubeconfig. Runs credential plugins, which `signal` kills, but sends no
 * request.
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

  /** Applies the time limit of a request, and translates its errors. */
  const withTimeLimit = async <T>(request: ClusterRequest, exchange: (signal: AbortSignal) => Promise<T>): Promise<T> => {
    request.signal.throwIfAborted();
    const limit = new AbortController();
    // Not AbortSignal.timeout: a watch that has started must outlive the limit.
    const timer = setTimeout(() => limit.abort(new DOMException('timed out', 'TimeoutError')), request.timeoutMs ?? defaultTimeoutMs);
    try {
      return await exchange(AbortSignal.any([request.signal, limit.signal]));
    } catch (error) {
      request.signal.throwIfAborted();
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
    request: (request) => withTimeLimit(request, async (signal) => readAnswer(await open(request, signal), request.keepBytes)),
    async *stream(request) {
      const { signal } = request;
      const response = await withTimeLimit(request, (limited) => open(request, limited));
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
      // Loaded on demand, because few commands need it.
      const { openWebSocket } = await import('./web-socket.ts');
      const opened = await withTimeLimit(request, async (signal) => {
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
  // The agents of client-node open a connection for every request. Keep-alive needs only one TLS
  // handshake.
  agent.keepAlive = true;
  // Parsed once, not for every connection.
  agent.options.secureContext = parsed(agent.options, config.getCurrentContext());
  const headers: http.OutgoingHttpHeaders = { 'user-agent': 'apisvc', ...(credentials.headers as http.OutgoingHttpHeaders) };
  if (credentials.auth) headers.authorization = `Basic ${Buffer.from(credentials.auth).toString('base64')}`;
  if (as !== undefined) headers['impersonate-user'] = as;
  if (asGroup.length > 0) headers['impersonate-group'] = [...asGroup];
  return { agent, headers, user: as ?? config.getCurrentUser()?.name ?? 'anonymous' };
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

/**
 * Reads an answer to its end, so that the connection can be reused.
 * @param keepBytes how many bytes of the body to keep
 */
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
