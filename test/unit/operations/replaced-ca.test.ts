import { expect, test } from 'vitest';
import { issueCertificates } from '../../../src/issuers/issuers.ts';
import { requireCurrentCopy } from '../../../src/operations/register/current-copy.ts';
import { replacedCa } from '../../../src/operations/replaced-ca.ts';
import { caBundleOf } from '../../../src/pki/anchors.ts';
import { loadAuthority } from '../../../src/pki/authority.ts';
import { inspect } from '../../../src/pki/inspect.ts';
import type { Issued } from '../../../src/pki/types.ts';
import { answer, clusterOf, never, notFound, status } from '../cluster/kube-api.ts';
import { registrationOf } from '../manifests/fixture.ts';

const now = new Date();
const earlier = (hours: number): Date => new Date(now.getTime() - hours * 3_600_000);
const server = '    image: x';
const issue = async (hours: number) => issueCertificates(registrationOf(server), { given: undefined, now: earlier(hours) });
const made = await issue(2);
/** What the cluster has, and what `apisvc init --force-keys` made. */
const old = made.issued;
const own = (await issue(1)).issued;
const { authority } = loadAuthority({ certificates: caBundleOf(old), key: made.caKey?.reveal() ?? '', now });
const sameCa = (await issueCertificates(registrationOf(server), { given: authority, now: earlier(1) })).issued;

const base64 = (text: string): string => Buffer.from(text).toString('base64');

interface InCluster {
  readonly secret?: Issued | undefined;
  readonly project?: string | undefined;
  readonly trusted?: readonly Issued[];
  readonly service?: string;
  readonly insecure?: boolean;
  /** The status of a request for the API. */
  readonly api?: number;
  readonly available?: string;
  /** Whether the user may list APIServices, or only get them. */
  readonly mayList?: boolean;
}

interface Copy {
  readonly files?: Issued;
  readonly registration?: ReturnType<typeof registrationOf>;
}

async function checkOf(inCluster: InCluster, { files = own, registration = registrationOf(server) }: Copy = {}) {
  const {
    secret = old,
    project = 'example/example',
    trusted = [old],
    service = 'api',
    insecure,
    api = 200,
    available = 'True',
    mayList = true,
  } = inCluster;
  const cluster = await clusterOf(({ url }, response) => {
    if (url === '/apis/example.com/v1') return answer(response, api, api === 200 ? {} : status(api, 'X', 'no'));
    const name = url.split('/').at(-1) ?? '';
    if (name === 'api-tls' && !('secret' in inCluster && !inCluster.secret)) {
      const metadata = { name, annotations: { 'apisvc.dev/registration': project } };
      return answer(response, 200, { metadata, data: { 'ca.crt': base64(caBundleOf(secret)), 'tls.crt': base64(secret.chain) } });
    }
    const caBundle = insecure ? undefined : base64(trusted.map(caBundleOf).join(''));
    const spec = { group: 'example.com', version: 'v1', caBundle, service: { namespace: 'example', name: service } };
    const apiService = {
      metadata: { name: 'v1.example.com' },
      spec: insecure ? { ...spec, insecureSkipTLSVerify: true } : spec,
      status: { conditions: [{ type: 'Available', status: available }] },
    };
    if (name === 'apiservices' && !mayList) return answer(response, 403, status(403, 'Forbidden', 'no'));
    if (name === 'apiservices') return answer(response, 200, { metadata: { resourceVersion: '1' }, items: [apiService] });
    if (name === 'v1.example.com') return answer(response, 200, apiService);
    answer(response, 404, notFound(url));
  });
  const presented = inspect(files.chain).certificates;
  return { cluster, registration, dir: 'demo', presented, anchors: inspect(caBundleOf(files)).certificates, now, signal: never };
}

test('the CA of an API that works is not replaced at once; the way out needs no outage', async () => {
  const refused = await replacedCa(await checkOf({}));
  expect(refused?.message.split('\n')).toEqual([
    'APIService v1.example.com works, but its caBundle does not verify the certificate of the project:',
    expect.stringMatching(/^ {2}the caBundle of the APIService: CN=api\.example\.svc CA, SHA-256 \S+, issued on 2\S+, expires on 2/),
    expect.stringMatching(/^ {2}demo\/certs\/ca\.crt: CN=api\.example\.svc CA, SHA-256 \S+, issued on 2\S+, expires on 2/),
    'requests would fail from the moment that a pod serves this certificate until the caBundle is replaced',
  ]);
  expect(refused?.fix?.split('\n')).toEqual([
    'Move certs/ of this copy aside, and create new keys and a new CA while the API keeps serving:',
    '  mv demo/certs demo/certs.old && apisvc rotate --ca',
    'Or delete the APIService, and register the project. The API is unavailable in between:',
    '  kubectl delete apiservice v1.example.com && apisvc register',
  ]);
  await expect(requireCurrentCopy(await checkOf({}), () => {})).rejects.toThrow('\nnothing was changed');
});

test.each([
  ['type: ca', '--ca-cert FILE --ca-key FILE'],
  ['type: csr, signerName: example.com/serving, caBundleFile: ca.crt', ''],
])('with the issuer {%s}, rotate gets the new CA from elsewhere', async (issuer, flags) => {
  const registration = registrationOf(`${server}\n  certificates:\n    issuer: {${issuer}}`);
  const refused = await replacedCa(await checkOf({}, { registration }));
  expect(refused?.fix?.split('\n')[1]).toBe(`  mv demo/certs demo/certs.old && apisvc rotate ${flags}`.trimEnd());
});

test('the version of an API that apisvc.yaml no longer lists is not broken either', async () => {
  const v1 = registrationOf(server);
  const registration = { ...v1, spec: { ...v1.spec, apis: v1.spec.apis.map((api) => ({ ...api, version: 'v2' })) } };
  const refused = await replacedCa(await checkOf({}, { registration }));
  expect(refused?.message).toMatch(/^APIService v1\.example\.com works, but its caBundle does not verify/);
  expect(refused?.fix?.split('\n').slice(2)).toEqual([
    'apisvc.yaml does not list this API. If no client needs it, delete its APIService, and register the project:',
    '  kubectl delete apiservice v1.example.com && apisvc register',
  ]);
});

test('without the permission to list APIServices, those in apisvc.yaml are checked', async () => {
  expect(await replacedCa(await checkOf({ mayList: false }))).toBeDefined();
  expect(await replacedCa(await checkOf({ mayList: false, service: 'other' }))).toBeUndefined();
});

test('the permission to request the API is not needed where it is Available', async () => {
  expect(await replacedCa(await checkOf({ api: 403 }))).toBeDefined();
  expect(await replacedCa(await checkOf({ api: 403, available: 'False' }))).toBeUndefined();
});

test.each<[string, InCluster, Copy?]>([
  ['the API does not work', { api: 503 }],
  ['the CA stays', {}, { files: sameCa }],
  ['the caBundle trusts both CAs', { trusted: [old, own] }],
  ['the Secret has the certificate of the project', { secret: own }],
  ['the Secret does not exist', { secret: undefined }],
  ['the Secret belongs to another project', { project: 'example/other' }],
  ['the APIService leads to another Service', { service: 'other' }],
  ['the APIService verifies nothing', { insecure: true }],
])('a CA is new where %s', async (_, inCluster, copy) => {
  expect(await replacedCa(await checkOf(inCluster, copy))).toBeUndefined();
});
