import type { Code } from '../../../src/diagnosis/catalog.ts';
import type { ApiSnapshot, DeletionView } from '../../../src/snapshot/types.ts';
import { inDays } from '../pki/certificates.ts';
import { secret, server } from './everything.ts';
import {
  answers,
  api,
  ca,
  endpoint,
  fails,
  gone,
  leafCertificate,
  leafFor,
  now,
  otherCa,
  seen,
  serves,
  service,
  unavailable,
} from './snapshots.ts';

/** Deletions, clocks, server names, and a project that differs: see faults.ts. */

const deleting: DeletionView = { since: '2026-06-15T11:00:00Z', finalizers: ['example.com/hold'] };
const at = '10.1.0.1:8443 (pod api-0)';
const own = { directory: 'demo', authorities: [ca], certificate: leafCertificate };
const early = { ...leafCertificate, notBefore: new Date(now.getTime() + 60_000).toISOString() };

/** What kube-apiserver says of a certificate whose dates do not fit its clock. */
export const outdated = (words: string): string =>
  `error trying to reach service: tls: failed to verify certificate: x509: certificate has expired or is not yet valid: ${words}`;
export const inFuture = outdated(`current time ${inDays(4000).toISOString()} is after ${leafCertificate.notAfter}`);

export const moreFaults = {
  'registration/deleting': { apiService: seen({ ...api, deleting }) },
  'service/deleting': { service: seen({ ...service, deleting }) },
  'service/namespace-terminating': {
    endpoints: seen([{ ...endpoint, ready: false }]),
    probes: seen([]),
    namespace: seen({ name: 'wardle', deleting, conditions: ['Some content in the namespace has finalizers remaining'] }),
  },
  'endpoints/server-name-required': {
    apiService: seen(unavailable('Get "https://10.0.0.1:443/x": remote error: tls: unrecognized name')),
    aggregated: gone,
    nameless: { at, handshake: { kind: 'failed', fault: 'other', words: 'TLS: unrecognized name' } },
  },
  'endpoints/server-name-refused': {
    probes: seen([fails('other', 'TLS: unrecognized name')]),
    aggregated: answers(503, 'error trying to reach service: remote error: tls: unrecognized name'),
    nameless: { at, handshake: { kind: 'served', protocol: 'TLSv1.3', certificates: [leafCertificate] } },
  },
  'registration/bundle-manager': {
    project: { directory: 'demo', authorities: [ca] },
    apiService: seen({ ...api, bundleManagers: [{ manager: 'argocd-controller', operation: 'Apply', time: '2026-06-15T11:00:00Z' }] }),
  },
  'registration/other-service': { declared: { service: { namespace: 'wardle', name: 'other' }, secret: 'other-tls' } },
  'cert/other-secret': {
    declared: { service: { namespace: 'wardle', name: 'api' }, secret: 'other-tls' },
    server: seen({ ...server, certificateSecret: 'api-tls' }),
  },
  'bundle/not-project-ca': { project: { ...own, authorities: [otherCa], certificate: await leafFor(['api.wardle.svc']) } },
  'cert/not-project-certificate': { project: { ...own, certificate: await leafFor(['api.wardle.svc']) } },
  'cert/rotation-interrupted': {
    rotation: seen({
      kind: 'ca',
      direction: 'forward',
      step: 'soak',
      number: 6,
      steps: 9,
      title: 'Watching all endpoints',
      started: '2026-06-15T11:30:00Z',
      holder: 'alice@laptop',
      running: false,
    }),
  },
  // kube-apiserver is ten minutes behind, and does not accept the certificate yet.
  'control-plane/clock-skew': {
    apiServerAheadMs: -600_000,
    probes: seen([serves({ ...leafCertificate, notBefore: new Date(now.getTime() - 60_000).toISOString() })]),
    aggregated: answers(503, outdated(`current time 2026-06-15T11:50:00Z is before ${early.notBefore}`)),
    secret: seen({ ...secret, certificates: [leafCertificate] }),
  },
  'control-plane/wrong-clock': { aggregated: answers(503, inFuture) },
} satisfies Partial<Readonly<Record<Code, Partial<ApiSnapshot>>>>;
