import fc from 'fast-check';
import type { Code } from '../../../src/diagnosis/catalog.ts';
import type { Made } from '../../unit/pki/certificates.ts';
import { type Reply, resourceList } from '../harness/backends.ts';
import { expired, makeLeaf, notYetValid, pair, pem, rsaKeyPair, validForDays } from '../harness/certificates.ts';
import { failedWith, groupOf, passed } from '../harness/registrations.ts';
import { type Change, caBundle, describeFaults, failedTls, type HandMadeFault, validReply, withOpenApi } from './hand-made.ts';

/** Two faults at once, in independent parts of a registration. */

interface Half {
  readonly name: string;
  readonly how: string;
  readonly code: Code;
  /** The condition of kube-apiserver. Absent if the API works. */
  readonly condition?: HandMadeFault['condition'];
  readonly registration?: Partial<Change>;
  /** What is added to the CA in the caBundle. */
  readonly added?: (ca: Made) => string;
  readonly leaf?: (host: string, ca: Made) => Promise<Made>;
  readonly reply?: (service: string) => Reply;
}

const injectors = { 'cert-manager.io/inject-ca-from': 'two-faults/api', 'service.beta.openshift.io/inject-cabundle': 'true' };
const automanaged = { 'kube-aggregator.kubernetes.io/automanaged': 'onstart' };

const registrations: readonly Half[] = [
  {
    name: 'automanaged',
    how: 'the APIService has the label of APIServices that kube-apiserver itself manages',
    code: 'registration/automanaged-label',
    registration: { apiServiceMetadata: { labels: automanaged } },
  },
  {
    name: 'two-injectors',
    how: 'the APIService has annotations for two controllers that inject the caBundle',
    code: 'registration/two-injectors',
    registration: { apiServiceMetadata: { annotations: injectors } },
  },
  {
    name: 'high-priority',
    how: 'groupPriorityMinimum is 9000',
    code: 'registration/priority-too-high',
    registration: { apiServiceSpec: { groupPriorityMinimum: 9000 } },
  },
];

const bundles: readonly Half[] = [
  { name: 'key', how: 'the caBundle contains the private key of the CA', code: 'bundle/private-key', added: (ca) => pair(ca).key },
  {
    name: 'damaged',
    how: 'the caBundle contains a damaged certificate',
    code: 'bundle/damaged-certificate',
    added: () => '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n',
  },
];

const certificates: readonly Half[] = [
  {
    name: 'wrong-name',
    how: 'the serving certificate is for a different name',
    code: 'cert/san-mismatch',
    condition: failedTls('x509: certificate is valid for elsewhere.svc'),
    leaf: (_, ca) => makeLeaf('elsewhere.svc', ca),
  },
  {
    name: 'expired',
    how: 'the serving certificate has expired',
    code: 'cert/expired',
    condition: failedTls('x509: certificate has expired'),
    leaf: (host, ca) => makeLeaf(host, ca, { when: expired }),
  },
  {
    name: 'early',
    how: 'the serving certificate is not yet valid',
    code: 'cert/not-yet-valid',
    condition: failedTls('x509: certificate has expired or is not yet valid'),
    leaf: (host, ca) => makeLeaf(host, ca, { when: notYetValid }),
  },
  {
    name: 'client-only',
    how: 'the extended key usage of the serving certificate is clientAuth',
    code: 'cert/wrong-usage',
    condition: failedTls('incompatible key usage'),
    leaf: (host, ca) => makeLeaf(host, ca, { usage: 'clientAuth' }),
  },
  {
    name: 'ending',
    how: 'the serving certificate expires in 10 days',
    code: 'cert/expires-soon',
    leaf: (host, ca) => makeLeaf(host, ca, { when: validForDays(10) }),
  },
  {
    name: 'weak-key',
    how: 'the serving certificate has an RSA key of 1024 bits',
    code: 'cert/weak-key',
    leaf: async (host, ca) => makeLeaf(host, ca, { keyPair: await rsaKeyPair(1024) }),
  },
];

const failing = (name: string, how: string, status: number, code: Code): Half => ({
  name,
  how,
  code,
  condition: failedWith(`bad status from .*: ${status}`),
  reply: () => ({ status, body: how }),
});

const replies: readonly Half[] = [
  failing('not-found', 'the server does not serve the group (404)', 404, 'discovery/not-found'),
  failing('server-error', 'the server responds with 500', 500, 'discovery/server-error'),
  failing('distrustful', 'the server does not authenticate kube-apiserver (401)', 401, 'auth/proxy-not-trusted'),
  {
    name: 'no-resources',
    how: 'the discovery document has no resources',
    code: 'discovery/no-resources',
    reply: (service) => ({ body: withOpenApi(service, resourceList(`${groupOf(service)}/v1`)) }),
  },
];

/** In the order of findings. */
const parts = [registrations, bundles, certificates, replies];

type Pair = readonly [Half, Half];
/**
 * One fault from each of two parts. A refused certificate hides the reply, so these pairs are left
 * out.
 */
const pairs = parts
  .flatMap((part, index) => parts.slice(index + 1).flatMap((later) => part.flatMap((one) => later.map((other): Pair => [one, other]))))
  .filter(([one, other]) => !(one.leaf && one.condition && other.reply));

const faultOf = ([one, other]: Pair): HandMadeFault => ({
  name: `both-${one.name}-${other.name}`,
  how: `${one.how}, and ${other.how}`,
  codes: [one.code, other.code],
  condition: one.condition ?? other.condition ?? passed,
  make: async (service, bench) => {
    const { registration, added, leaf = makeLeaf, reply = validReply }: Partial<Half> = { ...one, ...other };
    const bundle = caBundle(pem(bench.ca) + (added?.(bench.ca) ?? ''));
    const port = await bench.serve(service, pair(await leaf(bench.hostOf(service), bench.ca)), reply(service));
    return { port, ...registration, apiServiceSpec: { ...bundle.apiServiceSpec, ...registration?.apiServiceSpec } };
  },
});

/**
 * A fixed sample, so that it can be compared with the recordings. With this seed, it contains every
 * half.
 */
const [sample = []] = fc.sample(fc.shuffledSubarray(pairs, { minLength: 12, maxLength: 12 }), { seed: 100, numRuns: 1 });

describeFaults('two-faults', sample.map(faultOf));
