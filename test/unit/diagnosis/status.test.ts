import { describe, expect, test } from 'vitest';
import { notAllChecked, type Status, type StatusOptions, statusOf } from '../../../src/diagnosis/status.ts';
import type { ApiSnapshot, RotationView } from '../../../src/snapshot/types.ts';
import { day } from '../pki/certificates.ts';
import { everything, secret } from './everything.ts';
import {
  absent,
  api,
  bundleOf,
  ca,
  fails,
  healthy,
  host,
  leafCertificate,
  leafFor,
  otherCa,
  seen,
  serves,
  snapshotOf,
  unseen,
} from './snapshots.ts';

const renewed = await leafFor([host]);
const project = { directory: 'demo', authorities: [ca], certificate: leafCertificate };

const statusFor = (change: Partial<ApiSnapshot>, options: StatusOptions = { compared: project }): Status => {
  const view = { ...everything, secret: seen({ ...secret, certificates: [leafCertificate] }), ...change };
  return statusOf(snapshotOf({ ...view, ...(options.compared ? { project: options.compared } : {}) }), options);
};
/** Place, whether it is the same, codes, and why there is no certificate, or it is not known. */
const outline = ({ rows }: Status): readonly string[] =>
  rows.map(({ name, sameAsProject = '-', codes, none, notChecked }) =>
    [name, sameAsProject, ...codes, ...(none ? [`none (${none})`] : []), ...(notChecked ? [`(${notChecked})`] : [])].join(' '),
  );

const at = '10.1.0.1:8443 (pod api-0)';
const files = ['demo/certs/ca.crt yes', 'demo/certs/tls.crt yes'];

test('every place has one row, with what identifies its certificate', () => {
  const status = statusFor({});
  expect(outline(status)).toEqual([...files, `secret/wardle/${secret.name} yes`, `apiservice/${api.name} yes`, `${at} yes`]);
  expect(status).toMatchObject({ apiVersion: 'apisvc.dev/status/v1alpha1', verdict: 'same', project: 'demo', findings: [], rotations: [] });
  expect(status).not.toHaveProperty('failure');
  const { fingerprint, serial, notAfter } = leafCertificate;
  expect(status.rows.at(-1)).toEqual({
    place: 'endpoint',
    name: at,
    codes: [],
    ...{ subject: leafCertificate.subject, serial, fingerprint, issuer: 'CN=CA one', notAfter },
    daysLeft: 365,
    sameAsProject: 'yes',
  });
});

test('a certificate that was replaced in the cluster is no drift where the CA issues there', () => {
  const older = { ...leafCertificate, fingerprint: 'OLD', notBefore: '2020-01-01T00:00:00Z' };
  const status = statusFor({}, { compared: { ...project, certificate: older, issuesInCluster: true } });
  expect(outline(status)).toEqual([...files, `secret/wardle/${secret.name} -`, `apiservice/${api.name} yes`, `${at} -`]);
  expect(status).toMatchObject({ verdict: 'same', findings: [] });
});

test('what was left out because of a missing permission has the reason of that', () => {
  const left = (words: string) => ({ state: 'unseen', reason: 'skipped', words }) as const;
  const nothing = { probes: left('the Service has no ready endpoint'), secret: left('the pods of the Service are not known') };
  const rowsFor = (change: Partial<ApiSnapshot>) => outline(statusFor({ ...nothing, ...change })).slice(files.length);
  const noService = 'not allowed to get service/wardle/api';
  expect(rowsFor({ service: unseen(noService), pods: left('the Service is not known') })).toEqual([
    `Secret in namespace wardle - (${noService})`,
    `apiservice/${api.name} yes`,
    `endpoints of service/wardle/api - (${noService})`,
  ]);
  const [noPods, noSlices] = ['not allowed to list pods', 'not allowed to list endpointslices'];
  expect(rowsFor({ pods: unseen(noPods), endpoints: unseen(noSlices) })).toEqual([
    `Secret in namespace wardle - (${noPods})`,
    `apiservice/${api.name} yes`,
    `endpoints of service/wardle/api - (${noSlices})`,
  ]);
});

test('several APIServices of one Service share its Secret and endpoints', () => {
  const second = { ...everything, name: 'v1.other.example.com', secret: seen({ ...secret, certificates: [leafCertificate] }) };
  const { rows } = statusOf(snapshotOf({ ...second, name: api.name }, second), {});
  expect(rows.map(({ place }) => place)).toEqual(['secret', 'ca-bundle', 'endpoint', 'ca-bundle']);
});

describe('drift', () => {
  test.each<[string, Partial<ApiSnapshot>, string, string]>([
    [
      'a caBundle',
      { apiService: seen({ ...api, caBundle: bundleOf(otherCa) }) },
      'cert/unknown-authority',
      `apiservice/${api.name} no bundle/not-project-ca`,
    ],
    [
      'an endpoint',
      { probes: seen([serves(renewed)]) },
      'cert/secret-differs',
      `${at} no cert/secret-differs cert/not-project-certificate`,
    ],
    [
      'a Secret',
      { secret: seen({ ...secret, pods: ['api-0'], certificates: [renewed] }) },
      'cert/secret-differs',
      `secret/wardle/${secret.name} no cert/secret-differs`,
    ],
    [
      'a Secret behind endpoints that cannot be reached',
      { secret: seen({ ...secret, certificates: [renewed] }), probes: unseen() },
      'cert/not-project-certificate',
      `secret/wardle/${secret.name} no cert/not-project-certificate`,
    ],
    [
      'a missing Secret',
      { secret: absent },
      'cert/secret-missing',
      'Secret in namespace wardle - cert/secret-missing none (the Secret does not exist)',
    ],
    [
      'a missing APIService',
      { apiService: absent },
      'registration/missing',
      `apiservice/${api.name} - registration/missing none (the APIService does not exist)`,
    ],
  ])('of %s has a code and fails', (_, change, code, row) => {
    const status = statusFor(change);
    expect(status.verdict).toBe('drift');
    expect(status.failure).toContain(`drift: `);
    expect(status.findings.map((each) => each.code)).toContain(code);
    expect(outline(status)).toContain(row);
  });

  test('of a caBundle has one fix where all else has the certificate of the project', () => {
    const apiService = seen({ ...api, caBundle: bundleOf(otherCa) });
    expect(statusFor({ apiService })).toMatchObject({
      failure: 'drift: cert/unknown-authority',
      findings: [{ code: 'cert/unknown-authority', fix: expect.stringContaining('update the caBundle: `apisvc register`') }],
    });
    const elsewhere = statusFor({ apiService, probes: seen([serves(renewed)]) });
    expect(elsewhere.findings.map(({ code }) => code)).toContain('bundle/not-project-ca');
  });

  test('is not a caBundle that another manager owns too, whose row has the code', () => {
    const status = statusFor({ apiService: seen({ ...api, bundleManagers: [{ manager: 'helm', operation: 'Apply' }] }) });
    expect(status).toMatchObject({ verdict: 'same', findings: [{ code: 'registration/bundle-manager' }] });
    expect(outline(status)).toContain(`apiservice/${api.name} yes registration/bundle-manager`);
  });

  test('is found without a project too', () => {
    const change = { secret: seen({ ...secret, pods: ['api-0'], certificates: [renewed] }) };
    const status = statusFor(change, {});
    expect(status).toMatchObject({ verdict: 'drift', failure: 'drift: cert/secret-differs' });
    expect(status).not.toHaveProperty('project');
    expect(status.rows.map(({ sameAsProject }) => sameAsProject)).toEqual([undefined, undefined, undefined]);
  });

  test('is not what a registration lacks by design', () => {
    const status = statusFor({ apiService: seen({ ...api, caBundle: '', insecureSkipTLSVerify: true }) });
    expect(status.verdict).toBe('same');
    expect(outline(status)).toContain(
      `apiservice/${api.name} - security/insecure-skip-tls-verify none (insecureSkipTLSVerify: kube-apiserver accepts every certificate)`,
    );
  });

  test('is not an older CA of the same name, whose row says no', () => {
    const change = { apiService: seen({ ...api, caBundle: bundleOf(ca, otherCa) }) };
    expect(outline(statusFor(change))).toEqual([
      ...files,
      `secret/wardle/${secret.name} yes`,
      ...[`apiservice/${api.name} yes`, `apiservice/${api.name} no`],
      `${at} yes`,
    ]);
  });
});

describe('what cannot be read', () => {
  const left = (words: string) => ({ state: 'unseen', reason: 'skipped', words }) as const;
  const unknown = { verdict: 'unknown', failure: notAllChecked };

  test.each<[string, Partial<ApiSnapshot>, string]>([
    ['an APIService', { apiService: unseen() }, `apiservice/${api.name} - (not allowed)`],
    ['a Secret', { secret: unseen('not allowed to get secret') }, 'Secret in namespace wardle - (not allowed to get secret)'],
    ['an endpoint', { probes: seen([fails('no-forward', 'port-forward is forbidden')]) }, `${at} - (port-forward is forbidden)`],
    ['an endpoint that is not ready', { probes: left('nothing is ready') }, 'endpoints of service/wardle/api - (no endpoint is ready)'],
  ])('is not checked, and never the same: %s', (_, change, row) => {
    const status = statusFor(change);
    expect(outline(status)).toContain(row);
    expect(status).toMatchObject({ ...unknown, findings: [] });
  });

  test('does not hide drift, nor a certificate that expires soon', () => {
    const secret = unseen();
    expect(statusFor({ secret, probes: seen([serves(renewed)]) })).toMatchObject({
      verdict: 'drift',
      failure: expect.stringMatching(/^drift: /),
    });
    expect(statusFor({ secret }, { compared: project, failIfExpiresWithin: 400 * day })).toMatchObject({
      verdict: 'unknown',
      failure: expect.stringMatching(/^certificates that expire soon /),
    });
  });

  test('is not a Secret that the server does not have', () => {
    const status = statusFor({ secret: left('the container mounts no Secret') });
    expect(outline(status)).toContain('Secret in namespace wardle - none (the container mounts no Secret)');
    expect(status).toMatchObject({ verdict: 'same', findings: [] });
  });

  test('are files that a clone lacks', () => {
    const status = statusFor({}, { compared: { directory: '.', authorities: [] } });
    expect(outline(status).slice(0, 2)).toEqual(['certs/ca.crt - none (not found)', 'certs/tls.crt - none (not found)']);
    expect(status.rows.slice(2).every(({ sameAsProject }) => sameAsProject === undefined)).toBe(true);
  });

  test('are files that exist, and the command fails', () => {
    const unreadable = { 'tls.crt': 'permission denied', 'next/ca.crt': 'no certificate found' };
    const status = statusFor({}, { compared: { directory: 'demo', authorities: [ca] }, next: { authorities: [] }, unreadable });
    expect(outline(status).slice(0, 4)).toEqual([
      'demo/certs/ca.crt yes',
      'demo/certs/tls.crt - (permission denied)',
      'demo/certs/next/ca.crt - (no certificate found)',
      'demo/certs/next/tls.crt - none (not found)',
    ]);
    expect(status.failure).toBe('files that cannot be read: demo/certs/tls.crt, demo/certs/next/ca.crt');
  });

  test('does not include a Local APIService, which has no certificates', () => {
    const { service: _, ...local } = api;
    expect(statusFor({ ...healthy, apiService: seen(local) }, {})).toMatchObject({ verdict: 'same', findings: [] });
  });
});

describe('expiry', () => {
  test('fails for a certificate at any place', () => {
    const failIfExpiresWithin = 400 * day;
    expect(statusFor({}, { compared: project, failIfExpiresWithin }).failure).toBe(
      `certificates that expire soon (--fail-if-expires-within): demo/certs/tls.crt, secret/wardle/${secret.name}, ${at}`,
    );
    expect(statusFor({}, { compared: project, failIfExpiresWithin: 300 * day })).not.toHaveProperty('failure');
  });

  test('without the flag fails only when it is over', () => {
    expect(statusFor({})).not.toHaveProperty('failure');
  });
});

describe('during a rotation', () => {
  const rotation: RotationView = {
    ...{ kind: 'ca', direction: 'forward', step: 'endpoints', number: 5, steps: 9, title: 'Endpoints', started: '2026-06-15T11:58:00Z' },
    ...{ oldCertificate: leafCertificate.fingerprint, newCertificate: renewed.fingerprint, holder: 'alice@laptop', running: true },
  };
  const mixed = {
    rotation: seen(rotation),
    apiService: seen({ ...api, caBundle: bundleOf(ca, otherCa) }),
    secret: seen({ ...secret, pods: ['api-0'], certificates: [renewed] }),
  };

  test('the mixed state is no drift, and the next certificates are named', () => {
    const status = statusFor(mixed, { compared: project, next: { authorities: [otherCa], certificate: renewed } });
    expect(outline(status)).toEqual([
      ...files,
      ...['demo/certs/next/ca.crt next', 'demo/certs/next/tls.crt next'],
      `secret/wardle/${secret.name} next`,
      ...[`apiservice/${api.name} yes`, `apiservice/${api.name} next`],
      `${at} yes`,
    ]);
    expect(status).toMatchObject({ verdict: 'same', rotations: [rotation], findings: [] });
  });

  test('that another machine began, its Lease tells the next certificate', () => {
    expect(outline(statusFor(mixed))).toContain(`secret/wardle/${secret.name} next`);
  });

  test('an interruption is named, and is no drift', () => {
    const status = statusFor({ ...mixed, rotation: seen({ ...rotation, running: false }) });
    expect(status.findings.map(({ code }) => code)).toEqual(['cert/rotation-interrupted']);
    expect(status).not.toHaveProperty('failure');
  });
});

test('a project whose certificate others make has no files, and tells who writes what', () => {
  const status = statusFor({}, { project: { directory: '.', issuer: 'existing-secret' } });
  expect(status.issuer).toEqual({ type: 'existing-secret', key: 'another tool', secret: 'another tool', caBundle: 'apisvc' });
  expect(status.rows.map(({ place }) => place)).toEqual(['secret', 'ca-bundle', 'endpoint']);
});

test('a rotation of the CA of cert-manager that was interrupted is named, with the way on', () => {
  const apiService = seen({ ...api, annotations: { 'apisvc.dev/inject-ca-from': 'wardle/api-tls' } });
  expect(statusFor({ apiService }, {}).unfinished).toEqual({
    path: `annotation apisvc.dev/inject-ca-from of apiservice/${api.name}`,
    fix: 'To continue the rotation: `apisvc rotate`',
  });
});
