import { servingNames } from '../config/registration.ts';
import type { Registration } from '../config/schema.ts';
import { caBundleOf } from '../pki/anchors.ts';
import { inspect } from '../pki/inspect.ts';
import { checkServing, type Role, type ServingFault } from '../pki/trust.ts';
import type { CertificateInfo, Issued } from '../pki/types.ts';

/** What judging the certificates of a project takes; the private key is not needed. */
export interface FitCheck extends Pick<Issued, 'anchors' | 'chain'> {
  readonly registration: Registration;
  readonly now: Date;
  /** The file of the caBundle, for the words. */
  readonly caFile: string;
}

/**
 * Why certificates can't serve a registration: every name that it needs is judged as kube-apiserver would (see `checkServing`).
 * @returns parts of a sentence about the serving certificate, such as `not for api.wardle.svc`; empty when it fits
 */
export function misfits({ anchors, chain, registration, now, caFile }: FitCheck): string[] {
  const presented = inspect(chain).certificates;
  const roots = inspect(caBundleOf({ anchors })).certificates;
  const { dns, ip } = servingNames(registration);
  const judged = [...dns, ...ip].map((hostname) => ({ hostname, faults: checkServing({ presented, roots, hostname, now }) }));
  const missing = judged.filter(({ faults }) => faults.some(isNameFault)).map(({ hostname }) => hostname);
  // The chain is the same whatever the name.
  const ofChain = (judged[0]?.faults ?? []).filter((fault) => !isNameFault(fault));
  return [...(missing.length > 0 ? [`not for ${missing.join(', ')}`] : []), ...ofChain.flatMap((fault) => chainWords(fault, caFile))];
}

const isNameFault = ({ kind }: ServingFault): boolean => kind === 'name-mismatch' || kind === 'common-name-only';

function chainWords(fault: ServingFault, caFile: string): string[] {
  const { certificate } = fault;
  switch (fault.kind) {
    case 'expired':
      return [`${holder(certificate, fault.role, caFile)}expired on ${certificate.notAfter.slice(0, 10)}`];
    case 'not-yet-valid':
      return [`${holder(certificate, fault.role, caFile)}not valid before ${certificate.notBefore}`];
    case 'usage':
      return [`${holder(certificate, fault.role, caFile)}not for servers: its extendedKeyUsage lacks serverAuth`];
    case 'unknown-authority':
      return [unknownAuthorityWords(fault.reason, caFile)];
    case 'weak-signature':
      return [`${holder(certificate, fault.role, caFile)}signed with ${fault.algorithm}, which kube-apiserver refuses`];
    case 'weak-key':
      return fault.refused ? [`${holder(certificate, fault.role, caFile)}its key ${certificate.publicKey} is too short`] : [];
    case 'name-constraints':
      return [`the name constraints of the CA ${certificate.subject} forbid ${fault.names.join(', ')}`];
    case 'path-length':
      return [`the CA ${certificate.subject} allows no more than ${fault.limit} CAs below it`];
    default:
      return [];
  }
}

type UnknownAuthority = Extract<ServingFault, { kind: 'unknown-authority' }>;

function unknownAuthorityWords(reason: UnknownAuthority['reason'], caFile: string): string {
  if (reason === 'intermediate-missing') return `a CA between it and ${caFile} is missing`;
  if (reason === 'not-a-ca') return `the certificate in ${caFile} that signed it is not a CA`;
  return `${caFile} did not sign it`;
}

/** Whose fault it is; nothing for the serving certificate itself. */
function holder({ subject }: CertificateInfo, role: Role, caFile: string): string {
  if (role === 'leaf') return '';
  return role === 'root' ? `its CA ${subject} in ${caFile}: ` : `its intermediate CA ${subject}: `;
}
