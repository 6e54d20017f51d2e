import { inspect } from './inspect.ts';
import type { Anchor, CertificateInfo, Issued } from './types.ts';

/**
 * The certificates of a PEM text as anchors of one role, in order; anything else in it is left out.
 */
export const anchorsIn = (pem: string, role: Anchor['role']): Anchor[] =>
  inspect(pem).certificates.map((certificate) => ({ pem: certificate.pem, role }));

/** The text for `caBundle` and for `ca.crt`: PEM, LF line ends, in the order of the anchors. */
export const caBundleOf = ({ anchors }: Pick<Issued, 'anchors'>): string => anchors.map(({ pem }) => pem).join('');

/** Each certificate once, by its fingerprint. */
export const distinct = (certificates: readonly CertificateInfo[]): CertificateInfo[] => [
  ...new Map(certificates.map((each) => [each.fingerprint, each])).values(),
];
