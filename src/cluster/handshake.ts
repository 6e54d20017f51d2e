import type { CertificateInfo } from '../pki/types.ts';

/** What came of a TLS handshake with one endpoint, as kube-apiserver would make it but without judging the certificate. */
export type Handshake =
  | { readonly kind: 'served'; readonly certificates: readonly CertificateInfo[]; readonly protocol: string }
  | FailedHandshake;

export interface FailedHandshake {
  readonly kind: 'failed';
  readonly fault: DialFault;
  readonly words: string;
}

/**
 * `refused`: by what was asked for, of a pod by its address too. `localhost-refused`: by localhost in the pod, while its server may listen on the pod's address
 * alone. `no-forward`: nothing is known of the server, since kube-apiserver or the kubelet do not forward to its pod, stopped in the middle, or
 * forward to a localhost where the server, which does listen, is not.
 */
export type DialFault = 'refused' | 'localhost-refused' | 'timeout' | 'no-route' | 'not-tls' | 'reset' | 'no-forward' | 'other';

/** Which way the handshake was made: by port-forward to localhost inside the pod, or straight to the address. */
export type Via = 'pod' | 'address';

/** A handshake with an endpoint; `noForward`: why no way led into its pod, where it was made with the address instead. */
export type EndpointHandshake = Handshake & { readonly via: Via; readonly noForward?: string };
