import type { Made } from '../../unit/pki/certificates.ts';
import {
  expired,
  type LeafChange,
  makeCa,
  makeLeaf,
  makeLeafByCommonName,
  notYetValid,
  pair,
  rsaKeyPair,
  signedWithSha1,
  validForDays,
} from '../harness/certificates.ts';
import { failedWith, passed } from '../harness/registrations.ts';
import { type Bench, type Change, describeFaults, failedTls, type HandMadeFault } from './hand-made.ts';

const otherCa = await makeCa('another CA');
const expiringCa = await makeCa('short-lived CA', validForDays(60));

type Leaf = (host: string, ca: Made) => Promise<Made>;

/** Serves a certificate from the trusted CA. */
const serving =
  (leaf: Leaf): HandMadeFault['make'] =>
  async (name, bench: Bench): Promise<Change> => ({ port: await bench.serve(name, pair(await leaf(bench.hostOf(name), bench.ca))) });
const servingLeaf =
  (change: LeafChange): Leaf =>
  (host, ca) =>
    makeLeaf(host, ca, change);

const faults: readonly HandMadeFault[] = [
  { name: 'nothing-wrong', how: 'nothing', codes: [], condition: passed, make: async (name, bench) => ({ port: await bench.serve(name) }) },
  {
    name: 'wrong-name',
    how: 'the serving certificate is for a different name',
    codes: ['cert/san-mismatch'],
    condition: failedTls('x509: certificate is valid for elsewhere.svc, not wrong-name.certificates.svc'),
    make: serving((_, ca) => makeLeaf('elsewhere.svc', ca)),
  },
  {
    name: 'common-name',
    how: 'the serving certificate has a common name, but no subject alternative name',
    codes: ['cert/common-name-only'],
    condition: failedTls('x509: certificate relies on legacy Common Name field'),
    make: serving(makeLeafByCommonName),
  },
  {
    name: 'expired-leaf',
    how: 'the serving certificate has expired',
    codes: ['cert/expired'],
    condition: failedTls('x509: certificate has expired'),
    make: serving(servingLeaf({ when: expired })),
  },
  {
    name: 'early-leaf',
    how: 'the serving certificate becomes valid tomorrow',
    codes: ['cert/not-yet-valid'],
    condition: failedTls('x509: certificate has expired or is not yet valid'),
    make: serving(servingLeaf({ when: notYetValid })),
  },
  {
    name: 'ending-leaf',
    how: 'the serving certificate expires in 10 days',
    codes: ['cert/expires-soon'],
    condition: passed,
    make: serving(servingLeaf({ when: validForDays(10) })),
  },
  {
    name: 'leaf-outlives-ca',
    how: 'the CA expires 30 days before the serving certificate',
    codes: ['cert/ca-expires-before-leaf'],
    condition: passed,
    make: async (name, bench) => ({ port: await bench.serve(name, pair(await makeLeaf(bench.hostOf(name), expiringCa))), ca: expiringCa }),
  },
  {
    name: 'client-only',
    how: 'the extended key usage of the serving certificate is clientAuth',
    codes: ['cert/wrong-usage'],
    condition: failedTls('incompatible key usage'),
    make: serving(servingLeaf({ usage: 'clientAuth' })),
  },
  {
    name: 'sha1-signature',
    how: 'the serving certificate is signed with SHA-1',
    codes: ['cert/weak-signature'],
    condition: failedTls('insecure algorithm ECDSA-SHA1'),
    make: serving(async (host, ca) => signedWithSha1(await makeLeaf(host, ca), ca)),
  },
  {
    name: 'rsa-768',
    how: 'the serving certificate has an RSA key of 768 bits',
    codes: ['cert/refused-key'],
    // Go refuses the key in the TLS handshake, before it verifies the certificate.
    condition: failedWith('768-bit keys are insecure'),
    make: serving(async (host, ca) => makeLeaf(host, ca, { keyPair: await rsaKeyPair(768) })),
  },
  {
    name: 'rsa-1024',
    how: 'the serving certificate has an RSA key of 1024 bits',
    codes: ['cert/weak-key'],
    condition: passed,
    make: serving(async (host, ca) => makeLeaf(host, ca, { keyPair: await rsaKeyPair(1024) })),
  },
  {
    name: 'two-faults',
    how: 'the serving certificate is for a different name, and from a different CA with a different name',
    codes: ['cert/san-mismatch', 'cert/unknown-authority'],
    condition: failedTls('x509: certificate is valid for elsewhere.svc, not two-faults.certificates.svc'),
    make: serving(() => makeLeaf('elsewhere.svc', otherCa)),
  },
];

describeFaults('certificates', faults);
