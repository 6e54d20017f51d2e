import type { ApiSnapshot, CaSourceView, CertManagerCertificateView, CertManagerView } from '../../../src/snapshot/types.ts';
import { absent, answers, api, ca, leafCertificate, leafFor, otherCa, seen, serves, unavailable, unseen } from './snapshots.ts';

/** What cert-manager has to issue and to inject: see faults.ts. */

const condition = (type: string, status: string, reason: string, message: string) => ({ type, status, reason, message });
const ready = condition('Ready', 'True', 'Ready', 'Certificate is up to date and has not expired');

export const source: CaSourceView = {
  namespace: 'wardle',
  name: 'api-tls',
  allowsInjection: false,
  certificateName: 'api-tls',
  authorities: [ca],
  certificates: [leafCertificate],
};

export const issued: CertManagerCertificateView = {
  secretName: 'api-tls',
  dnsNames: ['api.wardle.svc'],
  isCA: false,
  conditions: [ready],
  issuer: seen({ kind: 'Issuer', name: 'api-ca', conditions: [condition('Ready', 'True', 'KeyPairVerified', '')], ca: seen([ca]) }),
};

const fromCertificate = 'cert-manager.io/inject-ca-from';
const fromSecret = 'cert-manager.io/inject-ca-from-secret';

/** cert-manager has issued and injected everything. */
export const injecting = (change: Partial<CertManagerView> = {}): CertManagerView => ({
  annotation: fromCertificate,
  value: 'wardle/api-tls',
  certificate: seen(issued),
  secret: seen(source),
  ...change,
});

const annotated = (certManager: CertManagerView) => ({ annotations: { [certManager.annotation]: certManager.value } });

/** The API works. */
export const works = (certManager: CertManagerView): Partial<ApiSnapshot> => ({
  certManager,
  apiService: seen({ ...api, ...annotated(certManager) }),
});

const untrusted = 'x509: certificate signed by unknown authority';

/** The API has no caBundle, and does not work. */
export const fails = (certManager: CertManagerView): Partial<ApiSnapshot> => ({
  certManager,
  apiService: seen({ ...unavailable(untrusted), caBundle: '', ...annotated(certManager) }),
  aggregated: answers(503, 'service unavailable'),
  serviceProxy: unseen(),
});

export const pending: CertManagerCertificateView = {
  ...issued,
  conditions: [
    condition('Issuing', 'True', 'DoesNotExist', 'Issuing certificate as Secret does not exist'),
    condition('Ready', 'False', 'DoesNotExist', 'Issuing certificate as Secret does not exist'),
  ],
  request: seen({
    namespace: 'wardle',
    name: 'api-tls-1',
    conditions: [condition('Ready', 'False', 'Pending', 'Referenced "Issuer" not found: issuer.cert-manager.io "nope" not found')],
  }),
  issuer: absent,
};

const mismatch = 'x509: certificate is valid for other.wardle.svc, not api.wardle.svc';
const named = injecting({ certificate: seen({ ...issued, dnsNames: ['other.wardle.svc'] }) });

export const certManagerFaults = {
  'cert-manager/source-not-found': fails(injecting({ value: 'wardle/nope', certificate: absent, secret: unseen() })),
  'cert-manager/not-ready': fails(injecting({ certificate: seen(pending), secret: absent })),
  'cert-manager/renewal-failed': works(
    injecting({
      certificate: seen({ ...issued, conditions: [ready, condition('Issuing', 'False', 'Failed', 'no key')], failedAttempts: 2 }),
    }),
  ),
  'cert-manager/issuer-not-ready': works(
    injecting({ certificate: seen({ ...issued, issuerRef: { kind: 'Issuer', name: 'api-ca' }, issuer: absent }) }),
  ),
  'cert-manager/name-missing': {
    ...works(named),
    apiService: seen({ ...unavailable(mismatch), ...annotated(named) }),
    aggregated: answers(503, `error trying to reach service: ${mismatch}`),
    probes: seen([serves(await leafFor(['other.wardle.svc']))]),
    secret: unseen(),
  },
  'cert-manager/secret-not-allowed': fails({ annotation: fromSecret, value: 'wardle/api-ca', secret: seen(source) }),
  'cert-manager/not-injected': fails(injecting({ lease: seen({ holder: '', renewed: '2026-06-15T10:00:00Z', durationSeconds: 60 }) })),
  'cert-manager/old-ca': works(
    injecting({ certificate: seen({ ...issued, issuer: seen({ kind: 'Issuer', name: 'api-ca', conditions: [], ca: seen([otherCa]) }) }) }),
  ),
} satisfies Record<string, Partial<ApiSnapshot>>;
