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

/** The same healthy API, observed with all permissions. */
export const everything: ApiSnapshot = {
  ...healthy,
  group: seen({ path: '/apis/wardle.example.com', status: 200, body: '{"kind":"APIGroup","versions":[{"version":"v1alpha1"}]}' }),
  openApi: seen({ path: '/openapi/v3/apis/wardle.example.com/v1alpha1', status: 200, body: '' }),
  serviceProxy: answers(403, '{"kind":"Status","reason":"Forbidden"}'),
  asUser: seen({ path: '/apis/wardle.example.com/v1alpha1', status: 200, body: '', user: 'jane', allowed: true }),
  anonymous: answers(403, '{"kind":"Status","reason":"Forbidden"}'),
  forged: answers(403, '{"kind":"Status","reason":"Forbidden"}'),
  server: seen(server),
  secret: seen(secret),
  requestHeader: seen(requestHeader),
  delegation: seen(delegation),
  neighbours: seen([neighbour('', 18_000), neighbour('apps', 17_800)]),
  customResources: seen([{ name: 'flunders.wardle.example.com', versions: ['v1'] }]),
  listed: seen({ freshness: 'Current', resources: ['flunders', 'fischers'] }),
};
