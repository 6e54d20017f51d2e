import { failureOf } from '../../../src/diagnosis/failure.ts';
import type { ApiDiagnosis, Diagnosis, Finding, Hop } from '../../../src/diagnosis/types.ts';
import { worstOf } from '../../../src/diagnosis/verdict.ts';
import type { Source } from '../../../src/snapshot/types.ts';

/** Handwritten diagnoses, so that the snapshots change only with the reporters. */

const cluster: Source = { kind: 'cluster', server: 'https://10.0.0.1:6443', context: 'staging', version: 'v1.37.2' };
const name = 'v1alpha1.wardle.example.com';
const at = '10.1.0.1:8443 (pod api-0)';

const hop = (kind: Hop['kind'], name: string, state: Hop['state'] = 'ok', codes: Hop['codes'] = []): Hop => ({ kind, name, state, codes });

const way = (...endpoints: readonly Hop[]): readonly Hop[] => [
  hop('client', 'context staging'),
  hop('kube-apiserver', 'https://10.0.0.1:6443'),
  hop('service', 'wardle/api port 443'),
  ...endpoints,
];

const api = (change: Partial<ApiDiagnosis> = {}): ApiDiagnosis => ({
  name,
  verdict: 'healthy',
  overview: { service: 'wardle/api:443', available: 'True', endpoints: { ready: 1, total: 1 }, expires: '2027-06-15T12:00:00.000Z' },
  findings: [],
  notChecked: [],
  facts: [
    'points at Service wardle/api port 443',
    'Available=True (Passed) since 2026-06-15T11:00:00Z',
    `${at} serves CN=api.wardle.svc, valid until 2027-06-15 (365 days)`,
    'GET /apis/wardle.example.com/v1alpha1: 200, resources: flunders, fischers',
  ],
  path: way(hop('endpoint', at)),
  ...change,
});

const diagnosis = (apis: readonly ApiDiagnosis[]): Diagnosis => {
  const verdict = worstOf(apis.map((each) => each.verdict));
  const failure = failureOf({ verdict, apis }, {});
  return {
    apiVersion: 'apisvc.dev/diagnosis/v1alpha1',
    takenAt: '2026-06-15T12:00:00.000Z',
    source: cluster,
    verdict,
    ...(failure === undefined ? {} : { failure }),
    apis,
  };
};

const finding = (change: Partial<Finding> & Pick<Finding, 'code' | 'title'>): Finding => ({
  severity: 'error',
  evidence: [],
  cause: 'Something was changed.',
  fix: 'Change it back.',
  link: 'docs/findings.md',
  explains: [],
  ...change,
});

const requestFailed = finding({
  code: 'discovery/request-failed',
  title: 'GET /apis/wardle.example.com/v1alpha1 through kube-apiserver failed (503)',
  evidence: [
    'GET /apis/wardle.example.com/v1alpha1: 503',
    'body: error trying to reach service: x509: certificate signed by unknown authority',
  ],
});

const wrongCa = finding({
  code: 'cert/unknown-authority',
  title: `The certificate from ${at} is not signed by a CA in the caBundle (unknown authority)`,
  evidence: ['served: CN=api.wardle.svc, issued by CN=CA one, SHA-256 5E:0F', 'caBundle: CN=CA one, SHA-256 A1:7C'],
  cause:
    'The caBundle contains a CA with the name of the issuer, but with a different key. The CA was regenerated, and the caBundle or the extension API server still uses the old one.',
  fix: 'In an apisvc project, update the caBundle: `apisvc register --force-conflicts`. Otherwise, set spec.caBundle to the CA that signed the certificate.',
  explains: [requestFailed],
});

const soon = finding({
  code: 'cert/expires-soon',
  severity: 'warning',
  title: 'The certificate CN=api.wardle.svc from 10.1.0.2:8443 (pod api-1) expires on 2026-06-24',
  evidence: ['10.1.0.2:8443 (pod api-1): CN=api.wardle.svc: expires on 2026-06-24T12:00:00Z'],
  fix: 'Renew the certificate: `apisvc rotate`',
});

const noPort = finding({
  code: 'service/port-missing',
  title: 'Service wardle/api has no port 443',
  evidence: ['ports: 8443 (https)'],
  cause: 'spec.service.port of the APIService must be one of the ports of the Service, not a targetPort.',
  fix: `Set spec.service.port of the APIService to a port of the Service: \`kubectl patch apiservice ${name} --type=merge -p '{"spec":{"service":{"port":8443}}}'\``,
});

/** Text that servers, certificates and manifests may contain. */
const evil = `</pre><script>alert(1)</script>]]>"' onload='x' \u001b[31m\u0000\u202e\ud800\uffff 50%\r\n::error::x, a:b | \`\`\`\`js [x](javascript:1) {0} @me`;

export const healthy = diagnosis([api()]);

export const broken = diagnosis([
  api({ verdict: 'broken', findings: [wrongCa], path: way(hop('endpoint', at, 'broken', ['cert/unknown-authority'])) }),
]);

const twoFaultsPath = way(hop('endpoint', at), hop('endpoint', '10.1.0.2:8443 (pod api-1)', 'warning', ['cert/expires-soon']));

export const twoFaults = diagnosis([
  api({
    verdict: 'broken',
    findings: [noPort, soon],
    path: twoFaultsPath.map((each) => (each.kind === 'service' ? { ...each, state: 'broken', codes: ['service/port-missing'] } : each)),
  }),
]);

export const notAllowed = diagnosis([
  api({
    verdict: 'unknown',
    facts: [],
    notChecked: [
      { what: 'the Service', why: 'services "api" is forbidden: User "dev" cannot get resource "services"' },
      { what: 'the pods', why: 'pods is forbidden: User "dev" cannot list resource "pods"' },
    ],
    path: [
      hop('client', 'context staging'),
      hop('kube-apiserver', 'https://10.0.0.1:6443'),
      hop('service', 'wardle/api port 443', 'unseen'),
      hop('endpoint', 'the endpoints of the Service', 'unseen'),
    ],
  }),
]);

export const hostile = diagnosis([
  api({
    name: evil,
    verdict: 'broken',
    facts: [evil],
    notChecked: [{ what: evil, why: evil }],
    findings: [
      finding({ code: 'cert/expired', title: evil, evidence: [evil], cause: evil, fix: `kubectl -n ${evil}`, explains: [requestFailed] }),
      finding({ code: 'cert/expired', title: evil }),
    ],
    path: way(hop('endpoint', evil, 'broken', ['cert/expired'])),
  }),
]);

const replicas = Array.from({ length: 12 }, (_, index) => hop('endpoint', `10.1.0.${index + 1}:8443 (pod api-${index})`));
const last = hop('endpoint', '10.1.0.13:8443 (pod api-12)', 'broken', ['cert/unknown-authority']);

/** Several APIs in all states, one of them with many endpoints. */
export const several = diagnosis([
  ...broken.apis,
  ...twoFaults.apis.map((each) => ({ ...each, name: 'v1beta1.metrics.k8s.io' })),
  ...notAllowed.apis.map((each) => ({ ...each, name: 'v1.custom.metrics.k8s.io' })),
  api({ name: 'v1.external.metrics.k8s.io', verdict: 'broken', findings: [wrongCa], path: way(...replicas, last) }),
  api({ name: 'v1.apps', facts: ['Local: served by kube-apiserver itself'], path: way().slice(0, 2) }),
]);

/** A diagnosis of files. */
export const inFiles = (...files: readonly string[]): Diagnosis => ({ ...twoFaults, source: { kind: 'files', files } });

/** Files with places: one cannot be read, and two versions of one server have the same fault. */
export const placed: Diagnosis = {
  ...diagnosis([
    api({
      verdict: 'broken',
      findings: [
        {
          ...noPort,
          locations: [
            { file: 'a b.yaml', line: 12, column: 3 },
            { file: 'c.yaml', line: 4 },
          ],
        },
      ],
    }),
    api({
      name: 'v1beta1.wardle.example.com',
      verdict: 'broken',
      findings: [{ ...noPort, locations: [{ file: 'c.yaml', line: 4 }], sameAs: 'v1alpha1.wardle.example.com' }],
    }),
  ]),
  source: { kind: 'files', files: ['a b.yaml', 'c.yaml', '/tmp/d.yaml'] },
  files: {
    findings: [finding({ code: 'manifest/unreadable', title: '/tmp/d.yaml cannot be read', locations: [{ file: '/tmp/d.yaml' }] })],
    notChecked: [],
  },
};

/** The diagnoses with snapshots. */
export const recorded = { healthy, broken, twoFaults, notAllowed, hostile } as const;
