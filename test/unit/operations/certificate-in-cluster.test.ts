import { describe, expect, test } from 'vitest';
import { issueCertificates } from '../../../src/issuers/issuers.ts';
import { certificateInCluster } from '../../../src/operations/certificate-in-cluster.ts';
import { caBundleOf } from '../../../src/pki/anchors.ts';
import { inspect } from '../../../src/pki/inspect.ts';
import { answer, clusterOf, never, notFound } from '../cluster/kube-api.ts';
import { registrationOf } from '../manifests/fixture.ts';

const registration = registrationOf('    image: x');
const now = new Date();
const issuedNow = async () => (await issueCertificates(registration, { given: undefined, now })).issued;
const [own, other] = [await issuedNow(), await issuedNow()];
const base64 = (text = ''): string => Buffer.from(text).toString('base64');

interface InCluster {
  readonly data?: Readonly<Record<string, string>>;
  /** The caBundle of the APIService, and the Service that it names. */
  readonly caBundle?: string;
  readonly service?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

async function look({ data, caBundle, service = 'api', annotations = {} }: InCluster, roots: string) {
  const cluster = await clusterOf(({ url }, response) => {
    const name = url.split('/').at(-1) ?? '';
    if (name === 'api-tls' && data) return answer(response, 200, { metadata: { name, annotations }, data });
    if (name === 'v1.example.com' && caBundle) {
      return answer(response, 200, {
        metadata: { name },
        spec: { caBundle: base64(caBundle), service: { namespace: 'example', name: service } },
      });
    }
    return answer(response, 404, notFound(url));
  });
  return certificateInCluster(cluster, { registration, roots: inspect(roots).certificates, rootsFile: 'certs/ca.crt', now }, never);
}

const data = { 'tls.crt': base64(own.chain), 'tls.key': base64(own.key?.reveal()) };

describe('the certificate in the cluster', () => {
  test('fits when the CA of the project signed it, and stays without its key', async () => {
    expect(await look({ data }, caBundleOf(own))).toEqual({ fits: true, issued: { chain: own.chain, anchors: own.anchors } });
  });

  test('fits the caBundle of the registration where the project has no CA, and keeps every CA of it', async () => {
    const found = await look({ data, caBundle: caBundleOf(other) + caBundleOf(own) }, '');
    expect(found).toEqual({ fits: true, issued: { chain: own.chain, anchors: [...other.anchors, ...own.anchors] } });
  });

  test('fits the CA in the Secret of the project where neither the project nor an APIService has one', async () => {
    const annotations = { 'apisvc.dev/registration': 'example/example' };
    const inCluster = { data: { ...data, 'ca.crt': base64(caBundleOf(own)) }, annotations };
    expect(await look(inCluster, '')).toEqual({ fits: true, issued: { chain: own.chain, anchors: own.anchors } });
  });

  test.each<[string, InCluster, string, string]>([
    ['nothing', {}, caBundleOf(own), 'Secret example/api-tls not found'],
    ['a Secret without a certificate', { data: {} }, caBundleOf(own), 'Secret example/api-tls has no certificate in tls.crt'],
    [
      'the key of another certificate',
      { data: { ...data, 'tls.key': base64(other.key?.reveal()) } },
      caBundleOf(own),
      'tls.key in Secret example/api-tls is not the private key of tls.crt',
    ],
    [
      'the CA in a Secret that does not say to which project it belongs',
      { data: { ...data, 'ca.crt': base64(caBundleOf(own)) } },
      '',
      'certs/ca.crt not found, and no APIService of the project has a caBundle',
    ],
    ['no caBundle', { data }, '', 'certs/ca.crt not found, and no APIService of the project has a caBundle'],
    [
      'the caBundle of another Service',
      { data, caBundle: caBundleOf(own), service: 'other' },
      '',
      'certs/ca.crt not found, and no APIService of the project has a caBundle',
    ],
    ['another CA', { data }, caBundleOf(other), 'Secret example/api-tls: the certificate is not signed by a CA in certs/ca.crt'],
    [
      'another caBundle',
      { data, caBundle: caBundleOf(other) },
      '',
      'Secret example/api-tls: the certificate is not signed by a CA in the caBundle of the APIService',
    ],
  ])('does not fit: %s', async (_, inCluster, roots, reason) => {
    expect(await look(inCluster, roots)).toMatchObject({ fits: false, reasons: [reason] });
  });
});
