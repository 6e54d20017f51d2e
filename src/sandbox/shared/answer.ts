import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ApiFailure } from './failure.ts';

/**
 * Answers with JSON; indented for people who use curl or a browser
 * (k8s.io/apiserver/pkg/endpoints/handlers/negotiation, isPrettyPrint).
 */
export function sendJson(
  { request, response, url }: { readonly request: IncomingMessage; readonly response: ServerResponse; readonly url: URL },
  status: number,
  body: unknown,
  contentType = 'application/json',
): void {
  const wish = url.searchParams.get('pretty');
  const pretty = wish ? /^(1|t|true)$/i.test(wish) : /^(curl|Wget|Mozilla\/5\.0)/.test(request.headers['user-agent'] ?? '');
  send(response, status, contentType, `${JSON.stringify(body, null, pretty ? 2 : undefined)}${pretty ? '' : '\n'}`);
}

/** Answers with a Status of failure. */
export function sendFailure(response: ServerResponse, failure: ApiFailure): void {
  if (failure.code === 429 || failure.code === 504) response.setHeader('retry-after', '1');
  send(response, failure.code, 'application/json', `${JSON.stringify(failure.status())}\n`);
}

/** Answers with text, such as `ok`. */
export const sendText = (response: ServerResponse, status: number, text: string): void => {
  response.setHeader('x-content-type-options', 'nosniff');
  send(response, status, 'text/plain; charset=utf-8', text);
};

function send(response: ServerResponse, status: number, contentType: string, body: string): void {
  response.writeHead(status, {
    'content-type': contentType,
    'content-length': Buffer.byteLength(body),
  });
  response.end(response.req.method === 'HEAD' ? undefined : body);
}
