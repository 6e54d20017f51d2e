import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Reply, resourceList } from '../../harness/backends.ts';
import { groupOf } from '../../harness/registrations.ts';
import { validReply } from '../../laboratory/hand-made.ts';
import { serveCutOff, serveLate, serveRequests } from '../../laboratory/odd-servers.ts';
import type { Step } from '../step.ts';
import { registration } from './registering.ts';

/** Answers of the server to discovery. */

const replying = (name: string, reply: (group: string) => Reply): Step =>
  registration(name, async ({ serve }) => ({ port: await serve(undefined, reply(groupOf(name))) }));

/** A server that answers by the request. */
const answering = (name: string, answer: (request: IncomingMessage, response: ServerResponse) => void): Step =>
  registration(name, async ({ keep, certificate, host }) => ({ port: await keep(serveRequests(await certificate(), answer, host)) }));

const json = { 'content-type': 'application/json' };

/** Aggregated discovery (KEP-3352). */
const allAtOnce = (group: string) => ({
  kind: 'APIGroupDiscoveryList',
  apiVersion: 'apidiscovery.k8s.io/v2',
  metadata: {},
  items: [
    {
      metadata: { name: group, creationTimestamp: null },
      versions: [
        {
          version: 'v1',
          freshness: 'Current',
          resources: [
            {
              resource: 'things',
              responseKind: { group, version: 'v1', kind: 'Thing' },
              scope: 'Namespaced',
              singularResource: 'thing',
              shortNames: ['th'],
              categories: ['all'],
              verbs: ['get', 'list'],
              subresources: [{ subresource: 'status', responseKind: { group, version: 'v1', kind: 'Thing' }, verbs: ['get'] }],
            },
          ],
        },
      ],
    },
  ],
});

export const replies: readonly Step[] = [
  replying('reply-404', () => ({ status: 404, body: 'not here' })),
  replying('reply-403', () => ({
    status: 403,
    body: { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason: 'Forbidden', code: 403 },
  })),
  replying('reply-401', () => ({ status: 401, body: 'who are you?' })),
  replying('reply-429', () => ({ status: 429, body: 'too many requests' })),
  replying('reply-500', () => ({ status: 500, body: 'out of order' })),
  answering('reply-302', (_, response) => void response.writeHead(302, { location: 'https://login.example.com/' }).end()),
  answering('reply-text', (_, response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>It works!</h1>')),
  replying('reply-other-kind', () => ({ body: { hello: 'world' } })),
  replying('reply-no-resources', (group) => ({ body: resourceList(`${group}/v1`) })),
  replying('reply-other-version', (group) => ({ body: resourceList(`${group}/v2`, 'things') })),
  registration('reply-late', async ({ keep, certificate, name, host }) => ({
    port: await keep(serveLate(await certificate(), 6_000, validReply(name).body, host)),
  })),
  registration('reply-cut-off', async ({ keep, certificate, host }) => ({ port: await keep(serveCutOff(await certificate(), host)) })),
  // The listing includes short names, kinds and subresources.
  answering('reply-all-at-once', ({ url = '', headers }, response) => {
    const group = groupOf('reply-all-at-once');
    const wanted = url === '/apis' && /as=APIGroupDiscoveryList/.test(String(headers.accept));
    const type = { 'content-type': 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList' };
    response.writeHead(200, wanted ? type : json).end(JSON.stringify(wanted ? allAtOnce(group) : resourceList(`${group}/v1`, 'things')));
  }),
];
