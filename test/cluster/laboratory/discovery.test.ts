import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { resourceList } from '../harness/backends.ts';
import { failedWith, groupOf, passed } from '../harness/registrations.ts';
import { answering, describeFaults, ends, type HandMadeFault, servingPair, validReply, withOpenApi } from './hand-made.ts';
import { hasClientCertificate, serveGreeting, serveRequests } from './odd-servers.ts';
import { longAvailable } from './statuses.ts';

/** The discovery documents of the server. */

const replying =
  (status: number, body: string): HandMadeFault['make'] =>
  async (name, bench) => ({ port: await bench.serve(name, undefined, { status, body }) });

/** A server with another discovery document. */
const serving =
  (document: (group: string) => object): HandMadeFault['make'] =>
  async (name, bench) => ({ port: await bench.serve(name, undefined, { body: withOpenApi(name, document(groupOf(name))) }) });

/** A valid server that answers every request after a delay. */
const answeringLate =
  (ms: number): HandMadeFault['make'] =>
  async (name, bench) => {
    const listener = async ({ socket }: IncomingMessage, response: ServerResponse): Promise<void> => {
      await sleep(ms, undefined, { ref: false });
      if (hasClientCertificate(socket)) response.end(JSON.stringify(validReply(name).body));
      else ends(response, 401);
    };
    return { port: await bench.keep(serveRequests(await servingPair(name, bench), listener)) };
  };

/**
 * kube-apiserver itself asks as system:kube-aggregator, and for OpenAPI as system:aggregator. It
 * waits for the latter without a limit, and registers no other API meanwhile.
 */
const isPerson = ({ url = '', headers }: IncomingMessage): boolean =>
  url.startsWith('/apis/') && !/^system:(kube-)?aggregator$/.test(String(headers['x-remote-user']));
const bodyOf = (service: string): string => JSON.stringify(validReply(service).body);

/** Sends less than announced, and then ends the connection. */
function breakOff(response: ServerResponse, end: (socket: Socket) => void): true {
  response.writeHead(200, { 'content-length': '1000' });
  response.write('{"kind":', () => response.socket && end(response.socket));
  return true;
}

const faults: readonly HandMadeFault[] = [
  {
    name: 'other-group',
    how: 'the server does not serve the group (404)',
    codes: ['discovery/not-found'],
    condition: failedWith('bad status from .*: 404'),
    make: replying(404, '404 page not found'),
  },
  {
    name: 'failing',
    how: 'the server responds with 500',
    codes: ['discovery/server-error'],
    condition: failedWith('bad status from .*: 500'),
    make: replying(500, 'out of order'),
  },
  {
    name: 'overloaded',
    how: 'the server responds with 429',
    codes: ['discovery/server-error'],
    condition: failedWith('bad status from .*: 429'),
    make: replying(429, 'too many requests'),
  },
  {
    name: 'failing-for-people',
    how: 'the server responds with 500 to all requests except those that kube-apiserver itself makes',
    codes: ['discovery/request-failed'],
    condition: passed,
    make: answering(({ headers }, response) => headers['x-remote-user'] !== 'system:kube-aggregator' && ends(response, 500)),
  },
  {
    name: 'redirecting',
    how: 'the server responds with a redirect',
    codes: ['discovery/redirected'],
    condition: failedWith('bad status from .*: 302'),
    make: answering((_, response) => ends(response, 302, { location: 'https://login.example.com/' })),
  },
  {
    name: 'slow',
    how: 'the server takes 6 seconds to respond to discovery requests',
    codes: ['discovery/slow'],
    condition: failedWith('(Client.Timeout exceeded|context deadline exceeded|timed out)'),
    make: answeringLate(6_000),
  },
  {
    name: 'slow-for-people',
    how: 'the server takes 7 seconds to respond to all requests except those that kube-apiserver itself makes',
    codes: ['discovery/no-answer'],
    condition: passed,
    make: answering((request, response) => isPerson(request) && setTimeout(() => response.end(bodyOf('slow-for-people')), 7_000)),
  },
  {
    name: 'silent-for-people',
    how: 'the server responds only to requests that kube-apiserver itself makes',
    codes: ['discovery/no-answer'],
    condition: passed,
    make: answering(isPerson),
  },
  {
    name: 'stalling',
    how: 'the server sends only part of the discovery document, and keeps the connection open',
    codes: ['discovery/stalled'],
    condition: passed,
    make: answering((request, response) => isPerson(request) && response.write('{"kind":')),
  },
  {
    name: 'truncated',
    how: 'the server closes the connection in the middle of the discovery document',
    codes: ['discovery/cut-off'],
    condition: passed,
    make: answering((request, response) => isPerson(request) && breakOff(response, (socket) => socket.end())),
  },
  {
    name: 'reset-in-body',
    how: 'the server resets the connection in the middle of the discovery document',
    codes: ['discovery/cut-off'],
    condition: passed,
    make: answering((request, response) => isPerson(request) && breakOff(response, (socket) => socket.destroy())),
  },
  {
    name: 'no-document',
    how: 'the server responds with JSON of a different kind',
    codes: ['discovery/not-a-resource-list'],
    condition: passed,
    make: serving(() => ({ hello: 'world' })),
  },
  {
    name: 'no-resources',
    how: 'the discovery document has no resources',
    codes: ['discovery/no-resources'],
    condition: passed,
    make: serving((group) => resourceList(`${group}/v1`)),
  },
  {
    name: 'other-version',
    how: 'the discovery document is for a different version',
    codes: ['discovery/wrong-group-version'],
    condition: passed,
    make: serving((group) => resourceList(`${group}/v2`, 'things')),
  },
  {
    name: 'no-openapi',
    how: 'the server has no OpenAPI schema',
    codes: ['discovery/openapi-missing'],
    condition: passed,
    make: answering(({ url = '' }, response) => url.startsWith('/openapi/') && ends(response, 404)),
    beforeVerify: longAvailable,
    options: { withinMs: 60_000 },
  },
  {
    // Only the condition reports it.
    name: 'no-http',
    how: 'the server uses a protocol other than HTTP over TLS',
    codes: ['control-plane/not-available'],
    notChecked: ['an anonymous request to an endpoint', 'a request with forged X-Remote-* headers to an endpoint'],
    condition: failedWith('malformed HTTP'),
    make: async (name, bench) => ({
      port: await bench.keep(serveGreeting(await servingPair(name, bench), '220 mail.example.com ESMTP\r\n')),
    }),
  },
];

describeFaults('discovery', faults);
