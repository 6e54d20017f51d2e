import { base64 } from '../../manifests/secret.ts';
import type { KubeObject } from '../../manifests/types.ts';
import { distinct } from '../../pki/anchors.ts';
import { wouldAccept } from '../../pki/trust.ts';
import type { CertificateInfo } from '../../pki/types.ts';
import { trustedBy } from '../../snapshot/ca-bundle.ts';
import type { ApiServiceView } from '../../snapshot/types.ts';
import type { CertificateSet } from './rotation.ts';

/** Which CAs the caBundle of an APIService must hold at each moment of a rotation. */

/** The CAs that verify what is served now, and what is served next. */
export interface Overlap {
  /** Empty where only another machine knows them. */
  readonly from: readonly CertificateInfo[];
  readonly to: readonly CertificateInfo[];
  /** The time of kube-apiserver. */
  readonly now: Date;
}

type Bundle = Pick<ApiServiceView, 'caBundle'>;

/** Whether a CA verifies nothing any more. Go rejects every chain that ends in it. */
export const isExpired = ({ notAfter }: CertificateInfo, now: Date): boolean => Date.parse(notAfter) < now.getTime();

/**
 * All CAs that are trusted now, and both of the rotation. Expired ones stay too, so that a clock
 * that is wrong drops nothing.
 */
export const widened = (bundle: Bundle, { from, to }: Pick<Overlap, 'from' | 'to'>): readonly CertificateInfo[] =>
  distinct([...trustedBy(bundle), ...from, ...to]);

/** The certificates that a bundle does not trust. */
export function untrusted(bundle: Bundle, anchors: readonly CertificateInfo[]): readonly CertificateInfo[] {
  const trusted = new Set(trustedBy(bundle).map(({ fingerprint }) => fingerprint));
  return anchors.filter((each) => !trusted.has(each.fingerprint));
}

/** Whether a bundle trusts one of these CAs. */
export const trustsAny = (bundle: Bundle, anchors: readonly CertificateInfo[]): boolean =>
  untrusted(bundle, anchors).length < anchors.length;

/** The certificates that a bundle lacks. Expired ones need no trust. */
export const lackedBy = (bundle: Bundle, anchors: readonly CertificateInfo[], now: Date): readonly CertificateInfo[] =>
  untrusted(bundle, anchors).filter((each) => !isExpired(each, now));

/** The expired certificates of a bundle. */
export const expiredIn = (bundle: Bundle, now: Date): readonly CertificateInfo[] =>
  trustedBy(bundle).filter((each) => isExpired(each, now));

/** Whether a bundle trusts exactly these CAs. */
export function trustsOnly(bundle: Bundle, anchors: readonly CertificateInfo[]): boolean {
  const trusted = trustedBy(bundle).map(({ fingerprint }) => fingerprint);
  return new Set(trusted).size === anchors.length && anchors.every(({ fingerprint }) => trusted.includes(fingerprint));
}

/**
 * Whether a bundle is as wide as the overlap asks. The CA that is left may be missing where nothing
 * serves by it any more.
 */
export const isWide = (bundle: Bundle, { from, to, now }: Overlap, nothingServesFrom: boolean): boolean =>
  lackedBy(bundle, to, now).length === 0 && (nothingServesFrom || lackedBy(bundle, from, now).length === 0);

/**
 * Whether kube-apiserver accepts the certificate of a set by the caBundle of an APIService or of a
 * webhook.
 */
export const accepts = (
  client: Bundle & Partial<Pick<ApiServiceView, 'insecureSkipTLSVerify'>>,
  { presented }: Pick<CertificateSet, 'presented'>,
  hostname: string,
  now: Date,
): boolean => client.insecureSkipTLSVerify === true || wouldAccept({ presented, roots: trustedBy(client), hostname, now });

/** The text for `caBundle`: PEM, LF line ends. */
export const bundleText = (anchors: readonly CertificateInfo[]): string => anchors.map(({ pem }) => pem).join('');

/** An APIService with these CAs as its caBundle. */
export const withBundle = (apiService: KubeObject, anchors: readonly CertificateInfo[]): KubeObject => ({
  ...apiService,
  spec: { ...(apiService.spec as object), caBundle: base64(bundleText(anchors)) },
});
