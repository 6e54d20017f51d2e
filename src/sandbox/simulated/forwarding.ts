import http, { type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse } from 'node:http';
import { type Duplex, pipeline } from 'node:stream';
import { type Ends, goWords, hostPort } from './go-errors.ts';
import { returnedHeaders } from './proxy-headers.ts';
import type { Route } from './routes.ts';

/** Where a request goes on to, and with what. */
export interface Hop extends Route {
  readonly agent: http.Agent;
  readonly path: string;
  readonly headers: OutgoingHttpHeaders;
}

export interface ForwardOptions {
  /** Milliseconds in which all must be done. */
  readonly limitMs?: number | undefined;
  /**
   * Whether a redirect of the backend is kept from the client (kube-apiserver's
   * --aggregator-reject-forwarding-redirect, which is on).
   */
  readonly refuseRedirects?: boolean;
  /** Answers the client when the backend can't: with what Go says of it. */
  readonly fail: (words: string) => void;
}

/**
 * Requests without a body that may be asked again over a new connection when the old one turns out
 * to be closed (net/http, Request.isReplayable).
 */
const replayable = ['GET', 'HEAD', 'OPTIONS'];

/**
 * Passes a request on and its answer back, both as they come, so that a watch flows. When the
 * client hangs up, so does this.
 * @returns once the client has its answer, or is gone
 */
export function forward(
  { request, response }: { readonly request: IncomingMessage; readonly response: ServerResponse },
  hop: Hop,
  { limitMs, refuseRedirects = false, fail }: ForwardOptions,
): Promise<void> {
  const { method = '', headers } = request;
  const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
  let over = false;
  const giveUp = (words: string): void => {
    if (over) return;
    over = true;
    if (response.headersSent) response.destroy();
    else fail(words);
  };
  const attempt = (): http.ClientRequest => {
    const sent = open(request, hop);
    const ends = endsOf(sent, hop);
    let answered = false;
    sent.on('response', (answer) => {
      answered = true;
      if (refuseRedirects && isRedirect(answer)) refuseRedirect(response, answer);
      else if (!passBack(answer, response)) giveUp(`malformed HTTP status code "${String(answer.statusCode).padStart(3, '0')}"`);
    });
    // An upgrade that nobody asked for is neither an answer nor an error.
    sent.on('close', () => answered || sent !== upstream || giveUp('EOF'));
    sent.on('error', (error: NodeJS.ErrnoException) => {
      const isStale = sent.reusedSocket && error.code === 'ECONNRESET';
      if (isStale && !over && !response.headersSent && !hasBody && replayable.includes(method)) upstream = attempt();
      else giveUp(goWords(error, ends()));
    });
    return hasBody ? request.pipe(sent) : sent.end();
  };
  let upstream = attempt();
  // A request that has no connection yet says nothing when it is destroyed.
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

/**
 * Sends an upgrade (WebSocket, SPDY) on, and connects both sides once the backend agrees; another
 * answer goes back as it is.
 * @param fail - as of `forward`
 */
export function tunnel(request: IncomingMessage, client: Duplex, head: Buffer, hop: Hop, fail: (words: string) => void): void {
  const upstream = open(request, { ...hop, headers: { ...hop.headers, connection: 'Upgrade', upgrade: request.headers.upgrade } });
  const ends = endsOf(upstream, hop);
  const hangUp = (): unknown => upstream.destroy();
  client.once('close', hangUp).on('error', hangUp);
  upstream.on('upgrade', (answer, backend, first) => {
    client.write(Buffer.concat([answerHead(answer), first]));
    backend.write(head);
    join(client, backend);
    join(backend, client);
  });
  upstream.on('response', (answer) => {
    if ((answer.statusCode ?? 0) < 400) {
      fail(`invalid upgrade response: status code ${answer.statusCode}`);
      return upstream.destroy();
    }
    client.write(answerHead(answer));
    return pipeline(answer, client, () => {});
  });
  upstream.on('error', (error) => fail(`error dialing backend: ${goWords(error, ends())}`));
  upstream.end();
}

/** Passes on what one side says; when it is done, so is the other. */
function join(from: Duplex, to: Duplex): void {
  from.pipe(to).on('error', () => {});
  from.once('close', () => to.end(() => to.destroy()));
}

/** An error as http.Error of Go writes it, for a client that has no response of ours yet. */
export function refuse(client: Duplex, status: number, words: string, contentType = 'text/plain; charset=utf-8'): void {
  const body = Buffer.from(`${words}\n`);
  const headers = [
    'Cache-Control: no-cache, private',
    `Content-Type: ${contentType}`,
    ...(contentType === 'application/json' ? [] : ['X-Content-Type-Options: nosniff']),
    `Content-Length: ${body.length}`,
    'Connection: close',
  ];
  client.end(Buffer.concat([Buffer.from(`HTTP/1.1 ${status} ${http.STATUS_CODES[status]}\r\n${headers.join('\r\n')}\r\n\r\n`), body]));
}

const open = ({ method = 'GET' }: IncomingMessage, { agent, host, port, path, headers }: Hop): http.ClientRequest =>
  http.request({ agent, host, port, path, method, headers });

/** The near end is known as soon as there is a connection, and not any more when it is closed. */
export function endsOf(upstream: http.ClientRequest, { host, port }: Route): () => Ends {
  let local: string | undefined;
  upstream.once('socket', ({ localAddress, localPort }) => {
    local = localAddress && hostPort(localAddress, localPort);
  });
  return () => ({ local, remote: hostPort(host, port) });
}

const isRedirect = ({ statusCode = 0, headers }: IncomingMessage): boolean =>
  statusCode >= 300 && statusCode <= 399 && headers.location !== undefined;

function refuseRedirect(response: ServerResponse, answer: IncomingMessage): void {
  answer.resume();
  response
    .writeHead(502, { 'content-type': 'text/plain; charset=utf-8' })
    .end('the backend attempted to redirect this request, which is not permitted');
}

/**
 * What both sides say of an answer stands in it twice, as with kube-apiserver.
 * @returns false for a status that HTTP does not have, with nothing passed on
 */
function passBack(answer: IncomingMessage, response: ServerResponse): boolean {
  const { statusCode = 0 } = answer;
  if (statusCode < 100) {
    answer.resume();
    return false;
  }
  for (const [name, values] of returnedHeaders(answer)) {
    response.setHeader(name, [...[response.getHeader(name) ?? []].flat().map(String), ...values]);
  }
  response.writeHead(statusCode);
  response.flushHeaders();
  pipeline(answer, response, () => {});
  return true;
}

function answerHead({ statusCode, statusMessage, rawHeaders }: IncomingMessage): Buffer {
  const lines = rawHeaders.flatMap((name, index) => (index % 2 === 0 ? [`${name}: ${rawHeaders[index + 1]}`] : []));
  return Buffer.from(`HTTP/1.1 ${statusCode} ${statusMessage}\r\n${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}
