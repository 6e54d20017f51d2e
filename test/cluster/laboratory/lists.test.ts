import type { IncomingMessage, ServerResponse } from 'node:http';
import { resourceList } from '../harness/backends.ts';
import { groupOf, passed } from '../harness/registrations.ts';
import { allowReader, asReader, reader } from './expect-findings.ts';
import { answering, describeFaults, ends, type HandMadeFault, openApiPaths, serveAnswers } from './hand-made.ts';

/** Lists that fail although discovery works. */

const emptyGroup = 'empty.metrics.k8s.io';

const isList = ({ url = '' }: IncomingMessage): boolean => url.startsWith(`/apis/`) && url.includes('/v1/');

/** A server whose lists are answered like this. */
const listing = (answer: (response: ServerResponse, request: IncomingMessage) => unknown): HandMadeFault['make'] =>
  answering((request, response) => isList(request) && answer(response, request));

const failure = (response: ServerResponse, code: number, message: string) =>
  response
    .writeHead(code, { 'content-type': 'application/json' })
    .end(JSON.stringify({ kind: 'Status', status: 'Failure', code, message }));

/** A server with this discovery document. It fails every other request. */
const serving =
  (document: (group: string) => object): HandMadeFault['make'] =>
  async (name, bench) =>
    answering((request, response) => {
      if (isList(request)) return failure(response, 500, 'not implemented');
      return !request.url?.startsWith('/openapi/') && response.end(JSON.stringify(document(groupOf(name))));
    })(name, bench);

const faults: readonly HandMadeFault[] = [
  // Without an OpenAPI schema, so it comes first: the schema is only missed after two minutes.
  {
    name: 'lists-not-found',
    how: 'nothing: the server serves only its discovery document',
    codes: [],
    condition: passed,
    make: answering(({ url }, response) => url !== `/apis/lists-not-found.example.com/v1` && ends(response, 404)),
  },
  {
    name: 'failing-lists',
    how: 'the server responds with 500 to list requests, but its discovery works',
    codes: ['discovery/list-failed'],
    condition: passed,
    make: listing((response) => failure(response, 500, 'failed to list things: etcdserver: request timed out')),
  },
  {
    name: 'refusing-lists',
    how: 'the server refuses list requests that RBAC allows (403)',
    codes: ['auth/refused-by-server'],
    condition: passed,
    make: listing((response) => failure(response, 403, 'things is forbidden')),
  },
  {
    name: 'distrustful-lists',
    how: 'the server serves discovery to everyone, but does not authenticate kube-apiserver for list requests (401)',
    codes: ['auth/proxy-not-trusted'],
    condition: passed,
    make: listing((response) => failure(response, 401, 'Unauthorized')),
  },
  {
    name: 'failing-lists-of-users',
    how: 'the server responds with 500 to list requests from the user in --as-user',
    codes: ['discovery/list-failed'],
    condition: passed,
    make: listing((response, { headers }) => headers['x-remote-user'] === reader && failure(response, 500, 'out of order')),
    options: asReader,
  },
  {
    name: 'slow-lists',
    how: 'the server takes 7 seconds to respond to list requests',
    codes: ['discovery/slow'],
    condition: passed,
    make: listing((response) => setTimeout(() => response.end('{"kind":"List","items":[]}'), 7_000)),
  },
  {
    name: 'silent-lists',
    how: 'the server never responds to list requests',
    codes: ['discovery/slow'],
    condition: passed,
    make: listing(() => true),
  },
  {
    name: 'truncated-lists',
    how: 'the server closes the connection in the middle of a list',
    codes: ['discovery/cut-off'],
    condition: passed,
    make: listing((response) => {
      response.writeHead(200, { 'content-length': '1000' });
      return response.write('{"kind":', () => response.socket?.destroy());
    }),
  },
  {
    name: 'lists-without-rbac',
    how: 'RBAC does not allow the user in --as-user to list the resource',
    codes: ['auth/list-not-allowed'],
    condition: passed,
    make: listing(() => false),
    options: { flags: ['--as-user', 'jane'] },
  },
  {
    name: 'listed-by-reader',
    how: 'nothing: verify runs as a user who is allowed to list the resource (--as)',
    codes: [],
    notChecked: ['the APIService', 'ConfigMap kube-system/extension-apiserver-authentication'],
    condition: passed,
    make: listing(() => false),
    beforeVerify: allowReader,
    options: { flags: ['--as', reader] },
  },
  {
    name: 'listed-by-jane',
    how: 'RBAC does not allow the user in --as to list the resource',
    codes: ['auth/list-not-allowed'],
    notChecked: [
      'the APIService',
      'ConfigMap kube-system/extension-apiserver-authentication',
      'the other APIServices',
      'the CustomResourceDefinitions of the group',
    ],
    condition: passed,
    make: listing(() => false),
    options: { flags: ['--as', 'jane'] },
  },
  {
    name: 'without-lists',
    how: 'nothing: the only resource of the server has only the verb create, like that of a cert-manager DNS01 webhook',
    codes: [],
    condition: passed,
    make: serving((group) => ({
      ...resourceList(`${group}/v1`),
      resources: [{ name: 'things', singularName: 'thing', namespaced: false, kind: 'ChallengePayload', verbs: ['create'] }],
    })),
  },
  {
    name: 'probed-elsewhere',
    how: 'the server responds with 500 to the path in --probe, but its lists work',
    codes: ['discovery/list-failed'],
    condition: passed,
    make: answering(({ url = '' }, response) => url.endsWith('/things/one/status') && failure(response, 500, 'out of order')),
    options: { flags: ['--probe', '/apis/probed-elsewhere.example.com/v1/namespaces/default/things/one/status'] },
  },
  {
    name: 'probed-not-found',
    how: 'nothing, but verify requests a path that the server does not serve (--probe)',
    codes: ['discovery/probe-failed'],
    condition: passed,
    make: answering(({ url = '' }, response) => url.endsWith('/things/none') && failure(response, 404, 'things "none" not found')),
    options: { flags: ['--probe', '/apis/probed-not-found.example.com/v1/namespaces/default/things/none'] },
  },
  {
    name: 'not-probed',
    how: 'nothing: the server responds with 500 to list requests, but verify sends none (--no-probe)',
    codes: [],
    condition: passed,
    make: listing((response) => failure(response, 500, 'out of order')),
    options: { flags: ['--no-probe'] },
  },
  {
    name: 'empty-adapter',
    how: 'a metrics adapter has no metrics',
    codes: ['discovery/no-metrics'],
    condition: passed,
    apiService: `v1.${emptyGroup}`,
    make: async (name, bench) => ({
      port: await serveAnswers(name, bench, ({ url }, response) =>
        response.end(JSON.stringify(url === '/openapi/v3' ? openApiPaths(`${emptyGroup}/v1`) : resourceList(`${emptyGroup}/v1`))),
      ),
      apiServiceSpec: { group: emptyGroup },
    }),
  },
];

describeFaults('lists', faults);
