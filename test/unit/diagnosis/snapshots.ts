import type { DialFault } from '../../../src/cluster/handshake.ts';
import { diagnose } from '../../../src/diagnosis/diagnose.ts';
import type { ApiDiagnosis } from '../../../src/diagnosis/types.ts';
import { createAuthority } from '../../../src/pki/authority.ts';
import { inspect } from '../../../src/pki/inspect.ts';
import { issueServing } from '../../../src/pki/leaf.ts';
import type { CertificateInfo } from '../../../src/pki/types.ts';
import type { ApiServiceView, ApiSnapshot, EndpointProbe, Observed, PodView, ServiceView, Snapshot } from '../../../src/snapshot/types.ts';
import { inDays, now } from '../pki/certificates.ts';

/** A hand-written healthy snapshot, and its parts to change. */

export { now };
export const host = 'api.wardle.svc';
export const name = 'v1alpha1.wardle.example.com';
const path = '/apis/wardle.example.com/v1alpha1';
const day = 86_400_000;

export const seen = <T>(value: T): Observed<T> => ({ state: 'seen', value });
export const absent: Observed<never> = { state: 'absent' };
export const unseen = (words = 'not allowed'): Observed<never> => ({ state: 'unseen', reason: 'forbidden', words });

export const base64 = (text: string): string => Buffer.from(text).toString('base64');
export const bundleOf = (...certificates: readonly CertificateInfo[]): string => base64(certificates.map(({ pem }) => pem).join(''));

const authority = await createAuthority({ commonName: 'CA one', keyType: 'ecdsa-p256', lifetimeMs: 3650 * day, now });
const leaf = await issueServing({ authority, names: { dns: [host], ip: [] }, keyType: 'ecdsa-p256', lifetimeMs: 365 * day, now });

const first = (pem: string): CertificateInfo => {
  const [certificate] = inspect(pem).certificates;
  if (!certificate) throw new Error('no certificate');
  return certificate;
};

/** The CA and the serving certificate of the healthy snapshot. */
export const ca = first(authority.certificates);
export const leafCertificate = first(leaf.certificates);

/** Another CA with the same name, as if `init` was run twice. */
export const otherCa = first(
  (await createAuthority({ commonName: 'CA one', keyType: 'ecdsa-p256', lifetimeMs: 3650 * day, now })).certificates,
);

/** A serving certificate for other names, or other dates, from the same CA. */
export const leafFor = async (dns: readonly string[], lifetimeDays = 365): Promise<CertificateInfo> =>
  first(
    (await issueServing({ authority, names: { dns, ip: [] }, keyType: 'ecdsa-p256', lifetimeMs: lifetimeDays * day, now })).certificates,
  );

export const api: ApiServiceView = {
  name,
  group: 'wardle.example.com',
  version: 'v1alpha1',
  service: { namespace: 'wardle', name: 'api', port: 443 },
  caBundle: bundleOf(ca),
  insecureSkipTLSVerify: false,
  groupPriorityMinimum: 1000,
  versionPriority: 15,
  available: { status: 'True', reason: 'Passed', message: 'all checks passed', lastTransitionTime: '2026-06-15T11:00:00Z' },
  labels: {},
  annotations: {},
};

export const service: ServiceView = {
  type: 'ClusterIP',
  clusterIP: '10.0.0.1',
  externalName: undefined,
  selector: { app: 'api' },
  ports: [{ name: 'https', port: 443, targetPort: '8443' }],
};

export const endpoint = { slice: 'api-x', address: '10.1.0.1', ready: true, pod: 'api-0', ports: [{ name: 'https', port: 8443 }] };

const notObserved: Observed<never> = { state: 'unseen', reason: 'skipped', words: 'not needed' };

/** The pod of the healthy snapshot. */
export const readyPod: PodView = {
  name: 'api-0',
  uid: 'b6f0',
  owner: 'api-5d9',
  node: 'node-1',
  phase: 'Running',
  ready: true,
  unready: undefined,
  prepared: true,
  deleting: false,
  goneBy: undefined,
  unscheduled: undefined,
  containers: [
    {
      name: 'server',
      init: false,
      ready: true,
      restarts: 0,
      state: { kind: 'running', startedAt: '2026-06-15T11:30:00Z' },
      before: undefined,
    },
  ],
  events: notObserved,
  lastLogLine: notObserved,
};

export const resourceList = JSON.stringify({
  kind: 'APIResourceList',
  groupVersion: 'wardle.example.com/v1alpha1',
  resources: [{ name: 'flunders' }, { name: 'fischers' }],
});

export const serves = (...certificates: readonly CertificateInfo[]): EndpointProbe => ({
  at: '10.1.0.1:8443 (pod api-0)',
  pod: 'api-0',
  via: 'address',
  handshake: { kind: 'served', protocol: 'TLSv1.3', certificates },
});

export const fails = (fault: DialFault, words: string = fault): EndpointProbe => ({
  at: '10.1.0.1:8443 (pod api-0)',
  pod: 'api-0',
  via: 'address',
  handshake: { kind: 'failed', fault, words },
});

export const answers = (status: number, body: string): Observed<{ path: string; status: number; body: string }> =>
  seen({ path, status, body });

/** What clients get while kube-apiserver does not use the APIService. */
export const gone = answers(503, 'service unavailable');

/** The APIService with a condition that reports a failed connection. */
export const unavailable = (message: string, reason = 'FailedDiscoveryCheck'): ApiServiceView => ({
  ...api,
  available: { status: 'False', reason, message, lastTransitionTime: '2026-06-15T11:59:00Z' },
});

export const healthy: ApiSnapshot = {
  name,
  apiService: seen(api),
  service: seen(service),
  endpoints: seen([endpoint]),
  pods: seen([readyPod]),
  probes: seen([serves(leafCertificate)]),
  aggregated: answers(200, resourceList),
  group: notObserved,
  openApi: notObserved,
  serviceProxy: notObserved,
  list: notObserved,
  repeated: notObserved,
  asUser: notObserved,
  listAsUser: notObserved,
  anonymous: notObserved,
  forged: notObserved,
  endpointAnswers: notObserved,
  server: notObserved,
  serverLog: notObserved,
  secret: notObserved,
  requestHeader: notObserved,
  delegation: notObserved,
  neighbours: notObserved,
  customResources: notObserved,
  listed: notObserved,
};

export const snapshotOf = (...apis: readonly ApiSnapshot[]): Snapshot => ({
  apiVersion: 'apisvc.dev/snapshot/v1alpha1',
  takenAt: now.toISOString(),
  source: { kind: 'cluster', server: 'https://127.0.0.1:6443', context: 'test', version: 'v1.37.2' },
  apis,
});

/** Diagnoses the healthy snapshot with some of it replaced. */
export function diagnosed(change: Partial<ApiSnapshot>, at: Date = now): ApiDiagnosis {
  const [diagnosis] = diagnose({ ...snapshotOf({ ...healthy, ...change }), takenAt: at.toISOString() }).apis;
  if (!diagnosis) throw new Error('no diagnosis');
  return diagnosis;
}

export const codes = ({ findings }: ApiDiagnosis): string[] => findings.map(({ code }) => code);
export const inYears = (years: number): Date => inDays(years * 365);
