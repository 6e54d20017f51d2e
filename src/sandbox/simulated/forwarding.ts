import http, { type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse } from 'node:http';
import { pipeline } from 'node:stream';
import { type Ends, goMessage, hostPort } from '../../cluster/go-errors.ts';
import { returnedHeaders } from './proxy-headers.ts';
import type { Route } from './routes.ts';

/** The backend of a request, and what is sent to it. */
export interface Hop extends Route {
  readonly agent: http.Agent;
  readonly path: string;
  readonly headers: OutgoingHttpHeaders;
}

export interface ForwardOptions {
  /** Milliseconds for the whole answer. */
  readonly limitMs: number | undefined;
  /** Answers the client when the backend fails, with Go's message. */
  readonly fail: (message: string) => void;
}

/**
 * Methods that are repeated on a new connection when the backend has closed a kept one (net/http,
 * Request.isReplayable).
 */
const replayable = ['GET', 'HEAD', 'OPTIONS'];

/**
 * Streams a request to a backend and its answer back. Ends when the client hangs up.
 * @returns once the client has its answer, or is gone
 */
export function forward(
  { request, response }: { readonly request: IncomingMessage; readonly response: ServerResponse },
  hop: Hop,
  { limitMs, fail }: ForwardOptions,
): Promise<void> {
  const { method = 'GET', headers } = request;
  const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
  let over = false;
  const giveUp = (message: string): void => {
    if (over) return;
    over = true;
    if (response.headersSent) response.destroy();
    else fail(message);
  };
  const attempt = (): http.ClientRequest => {
    const sent = http.request({ ...hop, method });
    const ends = endsOf(sent, hop);
    let answered = false;
    sent.on('response', (answer) => {
      answered = true;
      const fault = passBack(answer, response);
      if (fault !== undefined) giveUp(fault);
    });
    // An unrequested upgrade is neither an answer nor an error.
    sent.on('close', () => answered || sent !== upstream || giveUp('EOF'));
    sent.on('error', (error: NodeJS.ErrnoException) => {
      const isStale = sent.reusedSocket && error.code === 'ECONNRESET';
      if (isStale && !over && !response.headersSent && !hasBody && replayable.includes(method)) upstream = attempt();
      else giveUp(goMessage(error, ends()));
    });
    return hasBody ? request.pipe(sent) : sent.end();
  };
  let upstream = attempt();
  // A request without a connection emits nothing when it is destroyed.
  const expire = (): void => {
    giveUp('context deadline exceeded');
    upstream.destroy();
  };
  const timer = limitMs === undefined ? undefined : setTimeout(expire, limitMs);
  return new Promise((resolve) => {
    response.once('close', () => {
      over = true;
      clearTimeout(timer);
      upstream.destroy();
      resolve();
    });
  });
}

/** The local end is known from the connection on, and no longer once it is closed. */
export function endsOf(upstream: http.ClientRequest, { host, port }: Route): () => Ends {
  let local: string | undefined;
  upstream.once('socket', ({ localAddress, localPort }) => {
    local = localAddress && hostPort(localAddress, localPort);
  });
  return () => ({ local, remote: hostPort(host, port) });
}

/** @returns why the answer cannot be passed on */
function passBack(answer: IncomingMessage, response: ServerResponse): string | undefined {
  const { statusCode = 0, headers } = answer;
  if (statusCode < 100) {
    answer.resume();
    return `malformed HTTP status code "${String(statusCode).padStart(3, '0')}"`;
  }
  // kube-apiserver's --aggregator-reject-forwarding-redirect is on.
  if (statusCode >= 300 && statusCode <= 399 && headers.location !== undefined) {
    answer.resume();
    response
      .writeHead(502, { 'content-type': 'text/plain; charset=utf-8' })
      .end('the backend attempted to redirect this request, which is not permitted');
    return undefined;
  }
  for (const [name, values] of returnedHeaders(answer)) response.setHeader(name, values);
  response.writeHead(statusCode);
  response.flushHeaders();
  pipeline(answer, response, () => {});
  return undefined;
}
