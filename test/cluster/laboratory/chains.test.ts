import { caConstraints, endEntityConstraints, keyUsage, nameConstraints } from '../../../src/pki/extensions.ts';
import type { Made } from '../../unit/pki/certificates.ts';
import { expired, makeCa, makeLeaf, notYetValid, pair, pem, rsaKeyPair, validForDays } from '../harness/certificates.ts';
import { passed } from '../harness/registrations.ts';
import { type Bench, caBundle, describeFaults, failedTls, type HandMadeFault } from './hand-made.ts';

const signing = keyUsage('keyCertSign');

const deepCa = await makeCa('root', { extensions: [caConstraints(2), signing] });
const outer = await makeCa('outer', { issuer: deepCa });
const inner = await makeCa('inner', { issuer: outer });
const expiringInner = await makeCa('expiring inner', { issuer: deepCa, ...validForDays(10) });
const oldCa = await makeCa('old CA', expired);
const earlyCa = await makeCa('early CA', notYetValid);
const noCa = await makeCa('no CA', { extensions: [endEntityConstraints(), signing] });
const narrowCa = await makeCa('narrow CA', {
  extensions: [caConstraints(1), signing, nameConstraints({ dns: ['elsewhere.svc'], ip: [] })],
});
const shallowCa = await makeCa('shallow CA', { extensions: [caConstraints(0), signing] });
const belowShallow = await makeCa('below', { issuer: shallowCa });

const oldRoot = await makeCa('old root', validForDays(20));
const newRoot = await makeCa('new root');
const crossSigned = await makeCa('new root', { issuer: oldRoot, keyPair: newRoot.keyPair, ...validForDays(20) });
const crossSignedLonger = await makeCa('new root', { issuer: deepCa, keyPair: newRoot.keyPair });
const firstCa = await makeCa('renewed CA');
const secondCa = await makeCa('renewed CA');
const rsaCa = await makeCa('RSA CA', { keyPair: await rsaKeyPair(2048) });

/** Serves a certificate from `issuer`, followed by `sent`. The caBundle contains `trusted`. */
const chain =
  (issuer: Made, sent: readonly Made[], ...trusted: readonly Made[]): HandMadeFault['make'] =>
  async (name: string, bench: Bench) => ({
    port: await bench.serve(name, pair(await makeLeaf(bench.hostOf(name), issuer), ...sent)),
    ...caBundle(pem(...trusted)),
  });

const faults: readonly HandMadeFault[] = [
  {
    name: 'expired-ca',
    how: 'the CA has expired, but the serving certificate has not',
    codes: ['cert/ca-expired'],
    condition: failedTls('x509: certificate has expired'),
    make: chain(oldCa, [], oldCa),
  },
  {
    name: 'early-ca',
    how: 'the CA becomes valid tomorrow',
    codes: ['cert/ca-not-yet-valid'],
    condition: failedTls('x509: certificate has expired or is not yet valid'),
    make: chain(earlyCa, [], earlyCa),
  },
  {
    name: 'ending-intermediate',
    how: 'the intermediate CA expires in 10 days',
    // It also expires before its leaf, which is the same fault.
    codes: ['cert/expires-soon'],
    condition: passed,
    make: chain(expiringInner, [expiringInner], deepCa),
  },
  {
    name: 'no-ca',
    how: 'the serving certificate is signed by a certificate in the caBundle that is not a CA',
    codes: ['cert/issuer-not-a-ca'],
    condition: failedTls('parent certificate cannot sign this kind of certificate'),
    make: chain(noCa, [], noCa),
  },
  {
    name: 'no-intermediate',
    how: 'the server sends its certificate without the intermediate CA',
    // The certificate alone does not show whether an intermediate is missing or the CA is another
    // one.
    codes: ['cert/unknown-authority'],
    condition: failedTls('x509: certificate signed by unknown authority'),
    make: chain(outer, [], deepCa),
  },
  {
    name: 'half-a-chain',
    how: 'the server sends only one of two intermediate CAs, which is the one that the root CA signed',
    codes: ['cert/missing-intermediate'],
    condition: failedTls('x509: certificate signed by unknown authority'),
    make: chain(inner, [outer], deepCa),
  },
  {
    name: 'other-names-only',
    how: 'the name constraints of the CA permit only other names',
    codes: ['cert/name-constraints'],
    condition: failedTls('x509: .*is not permitted by any constraint'),
    make: chain(narrowCa, [], narrowCa),
  },
  {
    name: 'chain-too-long',
    how: 'the path length of the CA is 0, but the CA signed an intermediate CA',
    codes: ['cert/path-length'],
    condition: failedTls('x509: too many intermediates for path length constraint'),
    make: chain(belowShallow, [belowShallow], shallowCa),
  },
];

/** Valid chains that are in use. */
const validChains: readonly HandMadeFault[] = [
  ...(
    [
      ['whole-chain', 'nothing: the server sends two intermediate CAs in the right order', chain(inner, [inner, outer], deepCa)],
      [
        'chain-in-disorder',
        'nothing: the server sends two intermediate CAs in the wrong order, with the root CA between them',
        chain(inner, [outer, deepCa, inner], deepCa),
      ],
      ['trusted-intermediate', 'nothing: the caBundle contains the intermediate CA without the root', chain(inner, [], inner)],
      [
        'two-cas-of-one-name',
        'nothing: during a rotation, the old and the new CA have the same name',
        chain(secondCa, [], firstCa, secondCa),
      ],
      ['cross-signed', 'nothing: during a rotation, the old CA signed the new CA', chain(newRoot, [crossSigned], oldRoot, newRoot)],
      [
        'cross-signed-old-only',
        'nothing: during a rotation, the old CA signed the new CA, and the caBundle contains only the old CA',
        chain(newRoot, [crossSignedLonger], deepCa),
      ],
      ['ec-below-rsa', 'nothing: an RSA CA signed the ECDSA serving certificate', chain(rsaCa, [], rsaCa)],
    ] as const
  ).map(([name, how, make]) => ({ name, how, codes: [], condition: passed, make })),
  {
    name: 'rsa-below-ec',
    how: 'nothing: an ECDSA CA signed the RSA serving certificate',
    codes: [],
    condition: passed,
    make: async (name, bench) => ({
      port: await bench.serve(name, pair(await makeLeaf(bench.hostOf(name), bench.ca, { keyPair: await rsaKeyPair(2048) }))),
    }),
  },
  {
    name: 'wildcard',
    how: 'nothing: the serving certificate has a wildcard name for all Services of the namespace',
    codes: [],
    condition: passed,
    make: async (name, bench) => ({ port: await bench.serve(name, pair(await makeLeaf(bench.hostOf('*'), bench.ca))) }),
  },
];

describeFaults('chains', [...faults, ...validChains]);
