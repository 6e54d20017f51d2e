import { checkServing, type ServingFault } from '../../pki/trust.ts';
import type { CertificateInfo } from '../../pki/types.ts';
import type { Code } from '../catalog.ts';
import type { GoFault } from '../go-words.ts';
import type { Observation } from '../types.ts';
import { type Check, type CheckContext, observation, quote } from './check.ts';
import { failedProbes } from './endpoints.ts';
import { merge, nameOf, served, servedBy } from './served.ts';

/** The certificate that each endpoint serves, against the caBundle and the name that kube-apiserver asks for; all faults at once. */
export const checkCertificates: Check = (context) => {
  const { api, host, roots } = context;
  if (!host || api.insecureSkipTLSVerify) return [];
  const served = servedBy(context);
  // Where nothing answers any more, what kube-apiserver once said of the certificate is out of date.
  if (served.length === 0) return failedProbes(context).length > 0 ? [] : fromWords(context, roots);
  const judged = served.map((each) => ({
    ...each,
    faults: checkServing({ presented: each.presented, roots, hostname: host, now: context.now }),
  }));
  const trusted = judged.some(({ faults }) => faults.every(({ kind }) => kind !== 'unknown-authority'));
  const found = judged.flatMap(({ at, presented, faults }) => [
    ...selfGenerated(presented, faults).map((each) => ({ ...each, at: [at] })),
    ...faults
      // Without a certificate in the caBundle there is nothing to chain to; that is the bundle's finding.
      .filter(({ kind }) => roots.length > 0 || kind !== 'unknown-authority')
      .map((fault) => ({ ...describeFault(fault, presented, { roots, othersTrusted: trusted }), at: [at] })),
  ]);
  return merge(found);
};

/** Names and addresses of nobody but oneself. */
const ownNames = ['localhost', '127.0.0.1', '::1'];

/**
 * A server of k8s.io/apiserver without certificate signs one for localhost and its own address, with a CA that nobody has
 * (k8s.io/client-go/util/cert, GenerateSelfSignedCertKey; pkg/server/options/serving.go, MaybeDefaultWithSelfSignedCerts).
 */
function selfGenerated(presented: readonly CertificateInfo[], faults: readonly ServingFault[]): readonly Observation[] {
  const [leaf] = presented;
  const names = leaf ? [...leaf.dnsNames, ...leaf.ipAddresses] : [];
  const untrusted = faults.some(({ kind }) => kind === 'unknown-authority');
  if (!leaf || names.length === 0 || !isOwn(leaf) || !untrusted) return [];
  return [observation('cert/self-generated', [served(leaf), `names in the certificate: ${[...new Set(names)].join(', ')}`])];
}

const isOwn = ({ dnsNames, ipAddresses }: CertificateInfo): boolean =>
  (dnsNames.length > 0 ? dnsNames : ipAddresses).every((name) => ownNames.includes(name));

const trusted = (certificate: CertificateInfo): string => `caBundle: ${nameOf(certificate)}, SHA-256 ${certificate.fingerprint}`;

interface Trust {
  readonly roots: readonly CertificateInfo[];
  /** Whether other endpoints serve certificates that chain to the roots. */
  readonly othersTrusted: boolean;
}

function describeFault(fault: ServingFault, presented: readonly CertificateInfo[], trust: Trust): Observation {
  const { certificate } = fault;
  const [leaf = certificate] = presented;
  switch (fault.kind) {
    case 'expired':
      return fault.role === 'leaf'
        ? observation('cert/expired', [served(certificate)], { date: certificate.notAfter })
        : observation('cert/ca-expired', [`${nameOf(certificate)}, SHA-256 ${certificate.fingerprint}`], {
            subject: nameOf(certificate),
            date: certificate.notAfter,
          });
    case 'not-yet-valid':
      return fault.role === 'leaf'
        ? observation('cert/not-yet-valid', [served(certificate)], { date: certificate.notBefore })
        : observation('cert/ca-not-yet-valid', [`${nameOf(certificate)}, SHA-256 ${certificate.fingerprint}`], {
            subject: nameOf(certificate),
            date: certificate.notBefore,
          });
    case 'name-mismatch':
      return observation('cert/san-mismatch', [
        `names in the certificate: ${fault.names.join(', ') || 'none'}`,
        `name asked for: ${fault.hostname}`,
      ]);
    case 'common-name-only':
      return observation('cert/common-name-only', [`common name: ${fault.commonName}; no subject alternative names`]);
    case 'usage':
      return observation('cert/wrong-usage', [`${nameOf(certificate)}: extendedKeyUsage ${fault.usages.join(', ')}`]);
    case 'unknown-authority':
      return unknownAuthority(fault, leaf, trust);
    case 'weak-signature':
      return observation('cert/weak-signature', [served(certificate)], { subject: nameOf(certificate), algorithm: fault.algorithm });
    case 'weak-key':
      return observation(fault.refused ? 'cert/refused-key' : 'cert/weak-key', [served(certificate)], {
        subject: nameOf(certificate),
        algorithm: certificate.publicKey,
      });
    case 'name-constraints':
      return observation('cert/name-constraints', [`names outside the constraints: ${fault.names.join(', ')}`], {
        subject: nameOf(certificate),
      });
    case 'path-length':
      return observation('cert/path-length', [`pathLenConstraint ${fault.limit}, CAs below it: ${fault.below}`], {
        subject: nameOf(certificate),
      });
  }
}

type UnknownAuthority = Extract<ServingFault, { kind: 'unknown-authority' }>;

const reasons: Readonly<Record<UnknownAuthority['reason'], string>> = {
  'no-such-issuer':
    'Nothing in the caBundle has the name of the issuer: it is that of another CA, or the server leaves out the intermediate that leads to it.',
  'other-key': 'The caBundle has a CA of that name, but with another key: the CA was made anew and only one side got the new one.',
  'name-encoding': 'The caBundle has a CA whose name reads the same but is encoded differently; Go compares the bytes.',
  'intermediate-missing': '',
  'not-a-ca': '',
};

/** What is true of some endpoints only is no fault of the caBundle. */
const leftBehind =
  'Other endpoints serve a certificate that the caBundle trusts. A pod that has not loaded the new one, or is given another Secret, serves its own.';

function unknownAuthority(fault: UnknownAuthority, leaf: CertificateInfo, { roots, othersTrusted }: Trust): Observation {
  const evidence = [served(leaf), ...roots.map(trusted)];
  if (fault.reason === 'not-a-ca') return observation('cert/issuer-not-a-ca', evidence);
  if (fault.reason === 'intermediate-missing') return observation('cert/missing-intermediate', evidence);
  return observation('cert/unknown-authority', evidence, { why: othersTrusted ? leftBehind : reasons[fault.reason] });
}

const codeOfWords: Partial<Record<GoFault, Code>> = {
  'unknown-authority': 'cert/unknown-authority',
  'not-a-ca': 'cert/issuer-not-a-ca',
  'weak-signature': 'cert/weak-signature',
  'name-mismatch': 'cert/san-mismatch',
  'common-name-only': 'cert/common-name-only',
  expired: 'cert/expired',
  usage: 'cert/wrong-usage',
  'name-constraints': 'cert/name-constraints',
  'path-length': 'cert/path-length',
};

/** What stands for the values that kube-apiserver does not name. */
const unnamed = {
  endpoints: 'the endpoints of the Service',
  why: 'The caBundle does not contain the CA that signed the certificate.',
  subject: 'in the caBundle',
  date: 'kube-apiserver does not say when',
  algorithm: 'an algorithm that Go refuses',
};

/** Where no certificate could be seen, kube-apiserver's own words are all there is; it stops at the first fault, so there may be more. */
function fromWords({ words }: CheckContext, roots: readonly CertificateInfo[]): readonly Observation[] {
  const spoken = words.find(({ fault }) => fault !== undefined && codeOfWords[fault] !== undefined);
  const code = spoken?.fault && codeOfWords[spoken.fault];
  if (!spoken || !code || (spoken.fault === 'unknown-authority' && roots.length === 0)) return [];
  const evidence = [quote(spoken), ...roots.map(trusted)];
  const ownPair = /certificate is valid for localhost(?:, localhost)*, not /.test(spoken.text);
  return [observation(ownPair ? 'cert/self-generated' : code, evidence, unnamed)];
}
