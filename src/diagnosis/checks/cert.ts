import { timeText } from '../../pki/time-text.ts';
import { checkServing, type ServingFault } from '../../pki/trust.ts';
import type { CertificateInfo } from '../../pki/types.ts';
import type { Code } from '../catalog.ts';
import type { GoFault } from '../go-errors.ts';
import type { Observation } from '../types.ts';
import { aboutEntry, type Check, type CheckContext, observation, quote, seen } from './check.ts';
import { failedProbes } from './endpoints.ts';
import { merge, nameOf, served, servedBy } from './served-certificates.ts';

/**
 * Verifies the certificate of each endpoint as kube-apiserver does. Reports all faults, not only
 * the first.
 */
export const checkCertificates: Check = (context) => {
  const { api, host, roots } = context;
  if (!host || api.insecureSkipTLSVerify) return [];
  const served = servedBy(context);
  // If no endpoint answers now, a message of kube-apiserver about certificates is out of date.
  if (served.length === 0) return failedProbes(context).length > 0 ? [] : fromMessages(context, roots);
  const judged = served.map((each) => ({
    ...each,
    faults: checkServing({ presented: each.presented, roots, hostname: host, now: context.now }),
  }));
  const trusted = judged.some(({ faults }) => faults.every(({ kind }) => kind !== 'unknown-authority'));
  const found = judged.flatMap(({ at, presented, faults }) => [
    ...selfGenerated(presented, faults).map((each) => ({ ...each, at: [at] })),
    ...faults
      // A caBundle without a certificate has its own finding.
      .filter(({ kind }) => roots.length > 0 || kind !== 'unknown-authority')
      .map((fault) => ({ ...describeFault(fault, presented, { roots, othersTrusted: trusted }), at: [at] })),
  ]);
  return merge(found).map((each) => ({ ...each, ...aboutLeaf(context, each) }));
};

/** The findings that a new certificate solves. For the others, files may have a wrong caBundle. */
const codesOfLeaf: readonly Code[] = [
  'cert/san-mismatch',
  'cert/common-name-only',
  'cert/wrong-usage',
  'cert/missing-intermediate',
  'cert/weak-signature',
  'cert/weak-key',
  'cert/refused-key',
];

/** In files, the certificate is an entry of a Secret. */
function aboutLeaf({ api, snapshot, source }: CheckContext, { code }: Observation): Pick<Observation, 'about'> {
  const secret = seen(snapshot.secret);
  if (source === 'cluster' || !secret || !codesOfLeaf.includes(code)) return {};
  return { about: aboutEntry(api, secret.name, secret.entries?.certificate ?? 'tls.crt') };
}

/** Names and addresses of the local host. */
const localNames = ['localhost', '127.0.0.1', '::1'];

/**
 * A server built with k8s.io/apiserver that has no certificate generates one for localhost
 * (k8s.io/client-go/util/cert, GenerateSelfSignedCertKey;
 * k8s.io/apiserver/pkg/server/options/serving.go, MaybeDefaultWithSelfSignedCerts).
 */
function selfGenerated(presented: readonly CertificateInfo[], faults: readonly ServingFault[]): readonly Observation[] {
  const [leaf] = presented;
  const names = leaf ? [...leaf.dnsNames, ...leaf.ipAddresses] : [];
  const untrusted = faults.some(({ kind }) => kind === 'unknown-authority');
  if (!leaf || names.length === 0 || !isForLocalhost(leaf) || !untrusted) return [];
  return [observation('cert/self-generated', [served(leaf), `names in the certificate: ${[...new Set(names)].join(', ')}`])];
}

const isForLocalhost = ({ dnsNames, ipAddresses }: CertificateInfo): boolean =>
  (dnsNames.length > 0 ? dnsNames : ipAddresses).every((name) => localNames.includes(name));

const trusted = (certificate: CertificateInfo): string => `caBundle: ${nameOf(certificate)}, SHA-256 ${certificate.fingerprint}`;

const expired = ({ notAfter }: CertificateInfo): string => `expired at ${timeText(notAfter)}`;

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
        ? observation('cert/expired', [served(certificate), expired(certificate)], { date: certificate.notAfter.slice(0, 10) })
        : observation('cert/ca-expired', [`${nameOf(certificate)}, SHA-256 ${certificate.fingerprint}`, expired(certificate)], {
            subject: nameOf(certificate),
            date: certificate.notAfter.slice(0, 10),
          });
    case 'not-yet-valid':
      return fault.role === 'leaf'
        ? observation('cert/not-yet-valid', [served(certificate)], { date: timeText(certificate.notBefore) })
        : observation('cert/ca-not-yet-valid', [`${nameOf(certificate)}, SHA-256 ${certificate.fingerprint}`], {
            subject: nameOf(certificate),
            date: timeText(certificate.notBefore),
          });
    case 'name-mismatch':
      return observation('cert/san-mismatch', [
        `names in the certificate: ${fault.names.join(', ') || 'none'}`,
        `expected name: ${fault.hostname}`,
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
      return observation('cert/name-constraints', [`names that the constraints do not permit: ${fault.names.join(', ')}`], {
        subject: nameOf(certificate),
      });
    case 'path-length':
      return observation('cert/path-length', [`pathLenConstraint: ${fault.limit}, intermediate CAs below the CA: ${fault.below}`], {
        subject: nameOf(certificate),
      });
  }
}

type UnknownAuthority = Extract<ServingFault, { kind: 'unknown-authority' }>;

const reasons: Readonly<Record<UnknownAuthority['reason'], string>> = {
  'no-such-issuer':
    'No CA in the caBundle has the issuer name of the certificate. The caBundle contains a different CA, or the extension API server does not send an intermediate certificate.',
  'other-key':
    'The caBundle contains a CA with the name of the issuer, but with a different key. The CA was regenerated, and the caBundle or the extension API server still uses the old one.',
  'name-encoding':
    'The caBundle contains a CA with the name of the issuer in a different encoding. kube-apiserver compares the encoded bytes of the names.',
  'intermediate-missing': '',
  'not-a-ca': '',
};

/** If only some endpoints are affected, the caBundle is correct. */
const outdatedEndpoint =
  'Other endpoints serve a certificate from a CA in the caBundle. The endpoints that serve an untrusted certificate have not loaded the new one, or their pods mount a different Secret.';

function unknownAuthority(fault: UnknownAuthority, leaf: CertificateInfo, { roots, othersTrusted }: Trust): Observation {
  const evidence = [served(leaf), ...roots.map(trusted)];
  if (fault.reason === 'not-a-ca') return observation('cert/issuer-not-a-ca', evidence);
  if (fault.reason === 'intermediate-missing') return observation('cert/missing-intermediate', evidence);
  return observation('cert/unknown-authority', evidence, { why: othersTrusted ? outdatedEndpoint : reasons[fault.reason] });
}

const codeOfFault: Partial<Record<GoFault, Code>> = {
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

/** Stands for values that the messages of kube-apiserver do not contain. */
const unknownValues = {
  endpoints: 'the endpoints of the Service',
  why: 'The caBundle does not contain the CA that signed the certificate.',
  subject: '(unknown name)',
  date: 'an unknown date',
  algorithm: 'unknown algorithm',
};

/**
 * If no certificate was observed, the message of kube-apiserver is used. It reports only the first
 * fault.
 */
function fromMessages({ messages }: CheckContext, roots: readonly CertificateInfo[]): readonly Observation[] {
  const message = messages.find(({ fault }) => fault !== undefined && codeOfFault[fault] !== undefined);
  const code = message?.fault && codeOfFault[message.fault];
  if (!message || !code || (message.fault === 'unknown-authority' && roots.length === 0)) return [];
  const evidence = [quote(message), ...roots.map(trusted)];
  const ownPair = /certificate is valid for localhost(?:, localhost)*, not /.test(message.text);
  return [observation(ownPair ? 'cert/self-generated' : code, evidence, unknownValues)];
}
