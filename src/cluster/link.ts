import http from 'node:http';
import https from 'node:https';
import { Unfinished } from './answer.ts';
import type { Progress, Stage } from './connection-error.ts';
import type { Destination } from './connection-fix.ts';
import { type Trace, traceRequest } from './trace.ts';

/** One request to kube-apiserver. `path` starts with a slash; `query` values are encoded here. */
export interface ClusterRequest {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
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

/** Where requests go, and with which identity. */
export interface Link {
  readonly destination: Destination;
  readonly agent: http.Agent;
  /** Without those of impersonation. */
  readonly headers: http.OutgoingHttpHeaders;
  /** The headers of the impersonated user. Empty for the user itself. */
  readonly impersonation: http.OutgoingHttpHeaders;
  readonly trace?: Trace | undefined;
}

/** One attempt of a request. */
export interface Attempt {
  readonly signal: AbortSignal;
  /** Reports how far it came. */
  readonly reach: (stage: Stage) => void;
}

const defaultTimeoutMs = 10_000;

/** Sends one request. @throws the error of the connection, or the AbortError of the signal */
export function send(link: Link, request: ClusterRequest, { signal, reach }: Attempt): Promise<http.IncomingMessage> {
  const { destination, agent, headers, impersonation, trace } = link;
  const transport = destination.server.startsWith('http:') ? http : https;
  const body = request.body === undefined ? undefined : JSON.stringify(request.body);
  const url = urlOf(link, request);
  return new Promise((resolve, reject) => {
    const outgoing = transport.request(url, {
      method: request.method ?? 'GET',
      agent,
      signal,
      headers: {
        ...headers,
        ...(request.as === undefined ? impersonation : { 'impersonate-user': request.as }),
        accept: request.accept ?? 'application/json',
        ...(body === undefined
          ? {}
          : { 'content-type': request.contentType ?? 'application/json', 'content-length': Buffer.byteLength(body) }),
      },
    });
    followRequest(outgoing, url, { reach, trace });
    outgoing.on('response', resolve);
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/**
 * Applies the time limit of a request, and translates its errors.
 * @throws Unreachable; the reason of the signal
 */
export async function withTimeLimit<T>(link: Link, request: ClusterRequest, exchange: (attempt: Attempt) => Promise<T>): Promise<T> {
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
    throw await failureOf(link, cause, { signal: request.signal, stage, received: unfinished?.received });
  } finally {
    clearTimeout(timer);
  }
}

/** The error of a request in the words of kubectl. @throws the reason of the signal */
export async function failureOf({ destination }: Link, error: unknown, progress: Progress): Promise<unknown> {
  progress.signal.throwIfAborted();
  // Loaded on demand, because most requests succeed.
  const { unreachable } = await import('./connection-error.ts');
  const found = await unreachable(error, destination, progress);
  progress.signal.throwIfAborted();
  return found;
}

/** Reports how far a request came, and traces it. */
export function followRequest(
  outgoing: http.ClientRequest,
  url: URL,
  { reach, trace }: Pick<Attempt, 'reach'> & Pick<Link, 'trace'>,
): void {
  if (trace) traceRequest(outgoing, url, trace);
  outgoing.once('socket', (socket) => {
    const secure = 'encrypted' in socket && !outgoing.reusedSocket;
    if (socket.connecting) socket.once('connect', () => reach(secure ? 'handshake' : 'headers'));
    else reach(secure ? 'handshake' : 'headers');
    if (secure) socket.once('secureConnect', () => reach('headers'));
  });
  outgoing.once('response', () => reach('body'));
}

/** The URL of a request. */
export function urlOf({ destination }: Link, { path, query = {} }: ClusterRequest): URL {
  const result = new URL(destination.server.replace(/\/$/, '') + path);
  for (const [key, value] of Object.entries(query)) if (value !== undefined) result.searchParams.set(key, value);
  return result;
}
