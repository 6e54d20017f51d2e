import type { ServerResponse } from 'node:http';
import type { ApiFailure } from './failure.ts';

interface Answerable {
  readonly response: ServerResponse;
}

/** Answers with JSON. */
export const sendJson = ({ response }: Answerable, status: number, body: unknown, contentType = 'application/json'): void =>
  send(response, status, contentType, `${JSON.stringify(body)}\n`);

/** Answers with a Status of failure. */
export const sendFailure = (response: ServerResponse, failure: ApiFailure): void => sendJson({ response }, failure.code, failure.status());

/** Answers with text, such as `ok`. */
export const sendText = (response: ServerResponse, status: number, text: string): void => {
  response.setHeader('x-content-type-options', 'nosniff');
  send(response, status, 'text/plain; charset=utf-8', text);
};

function send(response: ServerResponse, status: number, contentType: string, body: string): void {
  response.writeHead(status, { 'content-type': contentType, 'content-length': Buffer.byteLength(body) });
  response.end(response.req.method === 'HEAD' ? undefined : body);
}
