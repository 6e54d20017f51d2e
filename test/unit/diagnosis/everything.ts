import type { ApiSnapshot, DelegationView, NeighbourView, RequestHeaderView, SecretView, ServerView } from '../../../src/snapshot/types.ts';
import { inDays, makeCa } from '../pki/certificates.ts';
import { answers, healthy, inYears, leafCertificate, seen } from './snapshots.ts';

/** The healthy API, observed with all permissions. */

export const root = await makeCa({ commonName: 'root', notAfter: inYears(20) });

export const server: ServerView = {
  pod: 'api-0',
  serviceAccount: 'api',
  flags: ['--secure-port=8443', '--tls-cert-file=/certs/tls.crt', '--tls-private-key-file=/certs/tls.key'],
  secrets: [{ name: 'api-tls', mountPath: '/certs', subPath: false }],
  startedAt: inDays(-3).toISOString(),
};
export const secret: SecretView = {
  name: 'api-tls',
  pods: ['api-0', 'api-1', 'api-2', 'api-3'],
  type: 'kubernetes.io/tls',
  certificates: [leafCertificate],
  keyMatches: true,
  otherKeys: [],
};
export const requestHeader: RequestHeaderView = {
  clientCa: [root.info],
  allowedNames: ['front-proxy-client'],
  usernameHeaders: ['X-Remote-User'],
  hasClientCa: true,
  holdsPrivateKey: false,
};
export const delegation: DelegationView = { account: 'system:serviceaccount:wardle:api', mayReview: true, mayReadAuthentication: true };
const neighbour = (group: string, groupPriorityMinimum: number): NeighbourView => ({
  name: `v1.${group}`,
  group,
  groupPriorityMinimum,
  versionPriority: 1,
  service: undefined,
});

const listPath = '/apis/wardle.example.com/v1alpha1/fischers?limit=1';

/** The answer to a list request. */
export const lists = <T extends object>(status: number, more: T = {} as T, body = '') => seen({ path: listPath, status, body, ...more });

/** Answers to equal requests: how many with which status. */
export const repeated = (...counts: readonly (readonly [count: number, status: number, body?: string])[]): ApiSnapshot['repeated'] =>
  seen(counts.map(([count, status, body = '']) => ({ count, answer: answers(status, body) })));

/** The answers of several endpoints without credentials, and to GET /readyz. */
export const endpointAnswers = (...statuses: readonly (number | readonly [api: number, ready: number])[]): ApiSnapshot['endpointAnswers'] =>
  seen(
    statuses.map((each, index) => {
      const [api, ready] = typeof each === 'number' ? [each, 200] : each;
      const at = `10.1.0.${index + 1}:8443 (pod api-${index})`;
      return { at, pod: `api-${index}`, api: answers(api, ''), ready: seen({ path: '/readyz', status: ready, body: '' }) };
    }),
  );

/** The same healthy API, observed with all permissions. */
export const everything: ApiSnapshot = {
  ...healthy,
  group: seen({ path: '/apis/wardle.example.com', status: 200, body: '{"kind":"APIGroup","versions":[{"version":"v1alpha1"}]}' }),
  openApi: seen({ path: '/openapi/v3/apis/wardle.example.com/v1alpha1', status: 200, body: '' }),
  serviceProxy: answers(403, '{"kind":"Status","reason":"Forbidden"}'),
  list: lists(200),
  repeated: repeated([12, 200]),
  listAsUser: lists(200, { user: 'jane', allowed: true }),
  asUser: seen({ path: '/apis/wardle.example.com/v1alpha1', status: 200, body: '', user: 'jane', allowed: true }),
  anonymous: answers(403, '{"kind":"Status","reason":"Forbidden"}'),
  forged: answers(403, '{"kind":"Status","reason":"Forbidden"}'),
  endpointAnswers: endpointAnswers(403, 403),
  server: seen(server),
  serverLog: seen([]),
  secret: seen(secret),
  requestHeader: seen(requestHeader),
  delegation: seen(delegation),
  neighbours: seen([neighbour('', 18_000), neighbour('apps', 17_800)]),
  customResources: seen([{ name: 'flunders.wardle.example.com', versions: ['v1'] }]),
  listed: seen({ freshness: 'Current', resources: ['flunders', 'fischers'] }),
};
