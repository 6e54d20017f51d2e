import type { IncomingMessage, RequestListener } from 'node:http';
import { createServer } from 'node:https';
import { TLSSocket } from 'node:tls';
import { type Backend, listen, resourceList, type ServingPair } from '../../harness/backends.ts';
import { groupOf } from '../../harness/registrations.ts';

/**
 * An extension API server that answers each request below its group with the request itself, unless
 * the path has an answer below. Other paths get its discovery document.
 */
export async function serveEcho({ certificates, key }: ServingPair, service: string, host: string): Promise<Backend> {
  const group = `/apis/${groupOf(service)}/v1`;
  const listener: RequestListener = async (request, response) => {
    const { pathname } = new URL(request.url ?? '', 'https://server');
    const answer = answers[pathname.slice(group.length)];
    if (answer) return answer(request, response);
    if (pathname === group || !pathname.startsWith(group)) return sendJson(response, resourceList(group.slice('/apis/'.length), 'things'));
    sendJson(response, await described(request));
  };
  const server = createServer({ cert: certificates, key, requestCert: true, rejectUnauthorized: false }, listener);
  return listen(server, 0, host);
}

const sendJson = (response: Parameters<RequestListener>[1], body: unknown): void =>
  void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));

/** Answers by the path below the group. */
const answers: Readonly<Record<string, RequestListener>> = {
  '/teapot': (_, response) =>
    void response.writeHead(418, { 'content-type': 'text/plain', 'x-own': 'kept', 'cache-control': 'max-age=7' }).end('short and stout'),
  '/moved': (_, response) => void response.writeHead(307, { location: '/apis/elsewhere.example.com/v1/things' }).end(),
  '/moved-away': (_, response) => void response.writeHead(302, { location: 'https://elsewhere.example.com/things?a=b' }).end(),
  '/nothing': (_, response) => void response.writeHead(204).end(),
  '/cut-off': ({ socket }) => void socket.destroy(),
  '/events': (_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).write('{"type":"ADDED","object":{"number":1}}\n');
    setTimeout(() => response.write('{"type":"MODIFIED","object":{"number":2}}\n'), 300);
  },
};

/** Headers of the connection, and those that Node and Go add. */
const ignored = ['audit-id', 'connection', 'content-length', 'transfer-encoding', 'accept-encoding', 'host'];

async function described(request: IncomingMessage): Promise<object> {
  let body = '';
  for await (const chunk of request.setEncoding('utf8')) body += chunk;
  const { method, url, rawHeaders, headers, socket } = request;
  const pairs = rawHeaders.flatMap((name, index) => (index % 2 === 0 ? [[name, rawHeaders[index + 1]] as const] : []));
  // Header names are case-insensitive (RFC 9110 5.1).
  const named = pairs.map(([name, value]) => [name.toLowerCase(), value] as const);
  const own = named.filter(([name]) => !ignored.includes(name)).map(([name, value]) => `${name}: ${value}`);
  const client = socket instanceof TLSSocket ? socket.getPeerCertificate().subject?.CN : undefined;
  // The address of the client is replaced; one that a step sends (RFC 5737) stays.
  const forwardedFor = String(headers['x-forwarded-for']).replaceAll(/[\d.]+/g, (address) =>
    address.startsWith('192.0.2.') ? address : 'an address',
  );
  const shown = own.filter((line) => !line.startsWith('x-forwarded-for:')).toSorted();
  return {
    method,
    url,
    headers: shown,
    forwardedFor,
    host: headers.host,
    body,
    client,
    serverName: socket instanceof TLSSocket ? socket.servername : undefined,
  };
}
