import type { CertificateInfo } from '../pki/types.ts';

/** What came of a TLS handshake with one endpoint, as kube-apiserver would make it but without judging the certificate. */
export type Handshake =
  | { readonly kind: 'served'; readonly certificates: readonly CertificateInfo[]; readonly protocol: string }
  | { readonly kind: 'failed'; readonly fault: DialFault; readonly words: string };

export type DialFault = 'refused' | 'timeout' | 'no-route' | 'not-tls' | 'reset' | 'other';
