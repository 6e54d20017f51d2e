import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { diagnose } from '../../../src/diagnosis/diagnose.ts';
import { offlineSnapshot } from '../../../src/snapshot/offline/snapshot.ts';

/** Small manifests with one fault each (test/fixtures/lint), made from faults of published ones. */

const noRbac = 'no RBAC in the files grants them to system:serviceaccount:ns:default';
const noSecret = 'the files contain no Secret with them';
const noService = 'the files do not contain it';
const noServer = 'the files do not contain the Service';

interface Case {
  readonly file: string;
  /** Line, severity, code and first line of evidence of every finding. */
  readonly findings?: readonly string[];
  readonly notChecked?: readonly string[];
}

const cases: readonly Case[] = [
  { file: 'good', notChecked: [noRbac] },
  { file: 'F01-key-mismatch', findings: ['19 error security/key-mismatch: in the Secret: CN=api.ns.svc, '], notChecked: [noRbac] },
  { file: 'F02-second-secret', notChecked: [noRbac] },
  { file: 'F02b-webhook-secret', notChecked: [noRbac] },
  {
    file: 'F04-other-keys',
    findings: ['19 error cert/san-mismatch: names in the certificate: webhook.ns.svc'],
    notChecked: [noRbac],
  },
  {
    file: 'F05-statefulset',
    findings: ['19 error cert/san-mismatch: names in the certificate: webhook.ns.svc'],
    notChecked: [noRbac],
  },
  {
    file: 'F06-selector',
    findings: ['9 error service/selects-no-pod: selector of the Service: app=apx'],
    notChecked: ['the Service selects no pods of the files'],
  },
  {
    file: 'F08-targetport-name',
    findings: ['9 error service/target-port-unknown: targetPort of the Service: https'],
    notChecked: [noRbac],
  },
  { file: 'F09-secret-missing', notChecked: ['Secret ns/api-tls is not in the files', noRbac] },
  { file: 'F10-cakey', findings: ['19 warning security/ca-key-in-secret: entries: ca.key'], notChecked: [noRbac] },
  {
    file: 'F11-service-other-ns',
    findings: ['4 warning service/not-in-files: spec.service of the APIService: ns/api'],
    notChecked: [noService, noSecret, noServer],
  },
  {
    file: 'F13-projected',
    findings: [
      '19 error cert/san-mismatch: names in the certificate: webhook.ns.svc',
      '19 error security/key-mismatch: in the Secret: CN=webhook.ns.svc, ',
    ],
    notChecked: [noRbac],
  },
  {
    file: 'F15-delegator-wrong-ns',
    findings: [
      '29 error auth/reader-missing: system:serviceaccount:ns:default is not allowed to get ConfigMap ',
      '25 warning auth/delegator-missing: system:serviceaccount:ns:default is not allowed to create tokenreviews ',
    ],
  },
  {
    file: 'F16-cm-cert-wrong-name',
    findings: [
      '3 error bundle/no-such-certificate: Certificate other/api-cret is not in the files',
      '9 error cert/san-mismatch: spec.dnsNames of the Certificate: api.default.svc',
    ],
    notChecked: [noService, noSecret, noServer],
  },
  {
    file: 'F18-old-annotation',
    findings: ['3 error registration/outdated-annotation: annotation certmanager.k8s.io/inject-ca-from: ns/api-cert'],
    notChecked: [noService, noSecret, noServer],
  },
  { file: 'F19-openshift-alpha', notChecked: [noService, noSecret, noServer] },
  {
    file: 'F24-nearmiss-service',
    findings: [
      '4 warning service/not-in-files: spec.service of the APIService: custom-metrics/custom-metrics-router',
      '4 warning security/insecure-skip-tls-verify: spec.insecureSkipTLSVerify: true',
    ],
    notChecked: [noService, noSecret, noServer],
  },
  {
    file: 'F25-self-generated',
    findings: ['14 error cert/self-generated: flags of the server: --cert-dir=/tmp, '],
    notChecked: ['the server reads or creates its certificate in /tmp (--cert-dir)', noRbac],
  },
];

test.each(cases)('$file', ({ file, findings = [], notChecked = [] }) => {
  const text = readFileSync(`test/fixtures/lint/${file}.yaml`, 'utf8');
  const { snapshot, place } = offlineSnapshot([{ file, text }], new Date('2026-06-15T12:00:00Z'));
  const [api] = diagnose(snapshot, { place }).apis;
  const shown = api?.findings.map(
    ({ severity, code, evidence, locations }) => `${locations?.[0]?.line} ${severity} ${code}: ${evidence[0]}`,
  );
  expect(shown).toEqual(findings.map((line) => expect.stringContaining(line)));
  expect(api?.notChecked.map(({ why }) => why)).toEqual(notChecked);
  expect(JSON.stringify(snapshot)).not.toContain('PRIVATE KEY');
});
