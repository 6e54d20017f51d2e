import http from 'node:http';

/** Writes a line of a trace. */
export type Trace = (line: string) => void;

/**
 * Traces a request when its response begins or it fails, as `kubectl -v=6` does
 * (k8s.io/client-go/transport/round_trippers.go): `GET URL 200 OK in 5 milliseconds`. The URL is
 * written without user information, which may be a password.
 */
export function traceRequest(outgoing: http.ClientRequest, { href }: URL, trace: Trace): void {
  const url = new URL(href);
  url.username = '';
  url.password = '';
  const start = performance.now();
  const line = (outcome: string): string =>
    `${outgoing.method} ${url.href} ${outcome} in ${Math.round(performance.now() - start)} milliseconds`;
  let isAnswered = false;
  const answered = ({ statusCode = 0 }: http.IncomingMessage): void => {
    isAnswered = true;
    trace(line(`${statusCode} ${http.STATUS_CODES[statusCode] ?? ''}`.trimEnd()));
  };
  outgoing.once('response', answered);
  // With a listener, Node leaves an upgraded connection open. Only a WebSocket has one.
  if (outgoing.listenerCount('upgrade') > 0) outgoing.once('upgrade', answered);
  outgoing.once('error', () => {
    if (!isAnswered) trace(line('failed'));
  });
}
