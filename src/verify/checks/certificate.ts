import { checkServing, type ServingFault } from '../../pki/trust.ts';
import type { CertificateInfo } from '../../pki/types.ts';
import type { Code } from '../catalog.ts';
import type { GoFault } from '../go-words.ts';
import type { EndpointProbe, Observation } from '../types.ts';
import { trustedBy } from './bundle.ts';
import { type Check, type CheckContext, observation, quote } from './check.ts';
import { failedProbes } from './endpoints.ts';

/** The certificate that each endpoint serves, against the caBundle and the name that kube-apiserver asks for; all faults at once. */
export const checkCertificates: Check = (context) => {
  const { api, host } = context;
  if (!host || api.insecureSkipTLSVerify) return [];
  const roots = trustedBy(api);
  const served = context.probes.flatMap((probe) =>
    probe.handshake.kind === 'served' ? [{ probe, presented: probe.handshake.certificates }] : [],
  );
  // Where nothing answers any more, what kube-apiserver once said of the certificate is out of date.
  if (served.length === 0) return failedProbes(context).length > 0 ? [] : fromWords(context, roots);
  const judged = served.map(({ probe, presented }) => ({
    probe,
    presented,
    faults: checkServing({ presented, roots, hostname: host, now: context.now }),
  }));
  const trusted = judged.some(({ faults }) => faults.every(({ kind }) => kind !== 'unknown-authority'));
  const found = judged.flatMap(({ probe, presented, faults }) =>
    faults
      // Without a certificate in the caBundle there is nothing to chain to; that is the bundle's finding.
      .filter(({ kind }) => roots.length > 0 || kind !== 'unknown-authority')
      .map((fault) => ({ probe, ...describeFault(fault, presented, { roots, othersTrusted: trusted }) })),
  );
  return merge(found);
};

interface FaultAt extends Observation {
  readonly probe: EndpointProbe;
}

/** The same fault at several endpoints is one finding that names them all. */
function merge(found: readonly FaultAt[]): Observation[] {
  const groups = new Map<string, FaultAt[]>();
  for (const each of found) {
    const key = JSON.stringify([each.code, each.evidence, each.args]);
    groups.set(key, [...(groups.get(key) ?? []), each]);
  }
  return [...groups.values()].flatMap((same): Observation[] => {
    const [first] = same;
    if (!first) return [];
    const endpoints = same.map(({ probe }) => probe.at).join(', ');
    return [observation(first.code, first.evidence, { ...first.args, endpoints })];
  });
}

const served = (certificate: CertificateInfo): string =>
  `served: ${nameOf(certificate)}, issued by ${certificate.issuer || '(no name)'}, SHA-256 ${certificate.fingerprint}`;
const trusted = (certificate: CertificateInfo): string => `caBundle: ${nameOf(certificate)}, SHA-256 ${certificate.fingerprint}`;
const nameOf = ({ subject, dnsNames }: CertificateInfo): string => subject || dnsNames[0] || '(no name)';

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
  'name-mismatch': 'cert/san-mismatch',
  'common-name-only': 'cert/common-name-only',
  usage: 'cert/wrong-usage',
  'name-constraints': 'cert/name-constraints',
};

/** Where no certificate could be seen, kube-apiserver's own words are all there is; it stops at the first fault, so there may be more. */
function fromWords({ words }: CheckContext, roots: readonly CertificateInfo[]): readonly Observation[] {
  const spoken = words.find(({ fault }) => fault !== undefined && (codeOfWords[fault] !== undefined || fault === 'expired'));
  if (!spoken?.fault) return [];
  const endpoints = 'the endpoints of the Service';
  const evidence = [quote(spoken), ...roots.map(trusted)];
  if (spoken.fault === 'expired') return [observation('cert/expired', evidence, { endpoints, date: 'kube-apiserver does not say when' })];
  if (spoken.fault === 'unknown-authority' && roots.length === 0) return [];
  const code = codeOfWords[spoken.fault];
  const why = 'The caBundle does not contain the CA that signed the certificate.';
  return code ? [observation(code, evidence, { endpoints, why, subject: 'in the caBundle' })] : [];
}
