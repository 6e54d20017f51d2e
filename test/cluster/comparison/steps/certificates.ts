import { caConstraints, endEntityConstraints, keyUsage, nameConstraints, subjectAltName } from '../../../../src/pki/extensions.ts';
import { day, type Made, make } from '../../../unit/pki/certificates.ts';
import {
  expired,
  type LeafChange,
  makeCa,
  makeLeaf,
  makeLeafByCommonName,
  notYetValid,
  pair,
  pem,
  rsaKeyPair,
  signedWithSha1,
} from '../../harness/certificates.ts';
import { type Change, caBundle } from '../../laboratory/hand-made.ts';
import { serveOldTls } from '../../laboratory/odd-servers.ts';
import type { Step } from '../step.ts';
import { namespace, type World } from '../world.ts';
import { registration } from './registering.ts';

/** Valid and invalid certificates and caBundles. */

const hostOf = ({ name }: World): string => `${name}.${namespace}.svc`;

type Leaf = (world: World) => Promise<Made>;

/** Serves a certificate made by the trusted CA. */
const serving = (name: string, leaf: Leaf): Step =>
  registration(name, async (world) => ({ port: await world.serve(pair(await leaf(world))) }));
const changed = (name: string, change: LeafChange): Step => serving(name, (world) => makeLeaf(hostOf(world), world.ca, change));

/** Serves a certificate of one CA, followed by `sent`; the caBundle holds `trusted`. */
const chain = (name: string, issuer: Made, sent: readonly Made[], ...trusted: readonly Made[]): Step =>
  registration(name, async (world) => ({
    port: await world.serve(pair(await makeLeaf(hostOf(world), issuer), ...sent)),
    ...caBundle(pem(...trusted)),
  }));

/** A valid server, and another caBundle. */
const trusting = (name: string, change: (world: World) => Partial<Change>): Step =>
  registration(name, async (world) => ({ port: await world.serve(), ...change(world) }));
const holding = (name: string, text: (ca: string, world: World) => string): Step =>
  trusting(name, (world) => caBundle(text(pem(world.ca), world)));

const signing = keyUsage('keyCertSign');
const root = await makeCa('root', { extensions: [caConstraints(2), signing] });
const intermediate = await makeCa('intermediate', { issuer: root });
const other = await makeCa('another CA');
const sameName = await makeCa('comparison CA');
const old = await makeCa('old CA', expired);
const coming = await makeCa('coming CA', notYetValid);
const noCa = await makeCa('no CA', { extensions: [endEntityConstraints(), signing] });
const narrow = await makeCa('narrow CA', { extensions: [caConstraints(1), signing, nameConstraints({ dns: ['elsewhere.svc'], ip: [] })] });
const shallow = await makeCa('shallow CA', { extensions: [caConstraints(0), signing] });
const belowShallow = await makeCa('below', { issuer: shallow });

/** A certificate for an address only. */
const forAddress: Leaf = ({ ca }) =>
  make({
    commonName: 'server',
    issuer: ca,
    extensions: [endEntityConstraints(), subjectAltName({ dns: [], ip: ['192.0.2.1'] }, false)],
    notBefore: new Date(Date.now() - day),
    notAfter: new Date(Date.now() + day),
  });

const base64 = (text: string): string => Buffer.from(text).toString('base64');

export const certificates: readonly Step[] = [
  trusting('healthy', () => ({})),
  registration('healthy-insecure', async ({ serve }) => ({
    port: await serve(pair(await makeLeaf('elsewhere.svc', other))),
    apiServiceSpec: { caBundle: undefined, insecureSkipTLSVerify: true },
  })),
  serving('healthy-wildcard', ({ ca }) => makeLeaf(`*.${namespace}.svc`, ca)),
  holding('healthy-several-cas', (ca) => pem(other) + ca),
  holding('healthy-key-in-bundle', (ca, world) => ca + pair(world.ca).key),
  chain('healthy-chain', intermediate, [intermediate], root),
  chain('healthy-trusted-intermediate', intermediate, [], intermediate),
  chain('healthy-two-cas-of-one-name', sameName, [], await makeCa('comparison CA'), sameName),
  serving('healthy-rsa', async (world) => makeLeaf(hostOf(world), world.ca, { keyPair: await rsaKeyPair(2048) })),

  serving('wrong-name', ({ ca }) => makeLeaf('elsewhere.svc', ca)),
  serving('address-only', forAddress),
  serving('common-name-only', (world) => makeLeafByCommonName(hostOf(world), world.ca)),
  changed('expired', { when: expired }),
  changed('not-yet-valid', { when: notYetValid }),
  changed('client-usage-only', { usage: 'clientAuth' }),
  serving('sha1-signature', async (world) => signedWithSha1(await makeLeaf(hostOf(world), world.ca), world.ca)),
  serving('wrong-name-and-ca', () => makeLeaf('elsewhere.svc', other)),
  registration('old-tls', async ({ certificate, keep, host }) => ({ port: await keep(serveOldTls(await certificate(), host)) })),

  trusting('wrong-ca', () => ({ ca: other })),
  trusting('wrong-ca-of-same-name', () => ({ ca: sameName })),
  trusting('empty-bundle', () => ({ apiServiceSpec: { caBundle: undefined } })),
  holding('bundle-encoded-twice', base64),
  holding('bundle-without-pem', () => 'no certificate at all\n'),
  trusting('bundle-of-der', ({ ca }) => ({ apiServiceSpec: { caBundle: pem(ca).split('\n').slice(1, -2).join('') } })),
  chain('expired-ca', old, [], old),
  chain('coming-ca', coming, [], coming),
  chain('missing-intermediate', intermediate, [], root),
  chain('issuer-is-no-ca', noCa, [], noCa),
  chain('name-constraints', narrow, [], narrow),
  chain('chain-too-long', belowShallow, [belowShallow], shallow),
];
