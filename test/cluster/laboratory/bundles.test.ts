import { makeCa, makeLeaf, pair, pem, validForDays } from '../harness/certificates.ts';
import { passed } from '../harness/registrations.ts';
import { type Bench, type Change, caBundle, describeFaults, failedTls, type HandMadeFault } from './hand-made.ts';

const otherCa = await makeCa('another CA');
const expiringCa = await makeCa('expiring CA', validForDays(10));

/** A valid server, and a caBundle that is made from its CA. */
const trusting =
  (change: (caPem: string, bench: Bench) => Partial<Change>): HandMadeFault['make'] =>
  async (name, bench) => ({ port: await bench.serve(name), ...change(pem(bench.ca), bench) });
const withBundle = (text: (caPem: string, keyPem: string) => string): HandMadeFault['make'] =>
  trusting((caPem, { ca }) => caBundle(text(caPem, pair(ca).key)));

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const damaged = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';
const untrusted = failedTls('x509: certificate signed by unknown authority');
/** Since 1.37, kube-apiserver fails before it sets a condition. */
const noCondition = { '1.37': undefined, '1.35': passed };

const faults: readonly HandMadeFault[] = [
  {
    name: 'other-ca',
    how: 'the caBundle contains a different CA',
    codes: ['cert/unknown-authority'],
    condition: untrusted,
    make: trusting(() => ({ ca: otherCa })),
  },
  {
    name: 'twice-base64',
    how: 'the caBundle is base64-encoded twice',
    codes: ['bundle/encoded-twice'],
    condition: noCondition,
    make: withBundle(base64),
  },
  {
    name: 'line-end-bundle',
    how: 'the caBundle contains only a line break',
    codes: ['bundle/unparsable'],
    condition: noCondition,
    make: withBundle(() => '\n'),
  },
  {
    name: 'der-bundle',
    how: 'the caBundle contains the CA in DER format',
    codes: ['bundle/der'],
    condition: noCondition,
    make: trusting((caPem) => ({ apiServiceSpec: { caBundle: caPem.split('\n').slice(1, -2).join('') } })),
  },
  {
    name: 'key-only-bundle',
    how: 'the caBundle contains only the private key of the CA',
    codes: ['bundle/private-key'],
    condition: noCondition,
    make: withBundle((_, keyPem) => keyPem),
  },
  {
    name: 'key-in-bundle',
    how: 'the caBundle contains the CA and its private key',
    codes: ['bundle/private-key'],
    condition: passed,
    make: withBundle((caPem, keyPem) => caPem + keyPem),
  },
  {
    name: 'damaged-bundle',
    how: 'the caBundle contains the CA and a truncated certificate',
    codes: ['bundle/damaged-certificate'],
    condition: passed,
    make: withBundle((caPem) => caPem + damaged),
  },
  {
    name: 'empty-bundle',
    how: 'the APIService has no caBundle',
    codes: ['bundle/empty'],
    condition: untrusted,
    make: trusting(() => ({ apiServiceSpec: { caBundle: undefined } })),
  },
  {
    name: 'not-injected',
    how: 'the caBundle is empty, and cert-manager, which injects it, is not running',
    codes: ['bundle/not-injected'],
    condition: untrusted,
    make: trusting(() => ({
      apiServiceSpec: { caBundle: undefined },
      apiServiceMetadata: { annotations: { 'cert-manager.io/inject-ca-from': 'bundles/not-injected' } },
    })),
  },
  {
    name: 'outdated-annotation',
    how: 'the caBundle is empty, and cert-manager has not supported the annotation of the APIService since 2019',
    codes: ['registration/outdated-annotation'],
    condition: untrusted,
    make: trusting(() => ({
      apiServiceSpec: { caBundle: undefined },
      apiServiceMetadata: { annotations: { 'certmanager.k8s.io/inject-ca-from': 'bundles/outdated-annotation' } },
    })),
  },
  {
    name: 'ending-ca',
    how: 'the CA in the caBundle expires in 10 days',
    codes: ['bundle/expires-soon'],
    condition: passed,
    make: async (name, bench) => ({
      port: await bench.serve(name, pair(await makeLeaf(bench.hostOf(name), expiringCa))),
      ca: expiringCa,
    }),
  },
  {
    name: 'unused-ca',
    how: 'the caBundle also contains an unrelated CA',
    codes: ['bundle/unused-ca'],
    condition: passed,
    make: withBundle((caPem) => caPem + pem(otherCa)),
  },
  {
    name: 'crlf-bundle',
    how: 'nothing: the caBundle has CRLF line endings',
    codes: [],
    condition: passed,
    make: withBundle((caPem) => caPem.replaceAll('\n', '\r\n')),
  },
  {
    name: 'commented-bundle',
    how: 'nothing: the caBundle contains comments, and one certificate twice',
    codes: [],
    condition: passed,
    make: withBundle((caPem) => `# the CA\n${caPem}\n# and once more\n\n${caPem}# end`),
  },
];

describeFaults('bundles', faults);
