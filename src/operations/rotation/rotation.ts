import { serverNameOf } from '../../config/registration.ts';
import type { Registration } from '../../config/schema.ts';
import { inspect } from '../../pki/inspect.ts';
import type { PrivateKey } from '../../pki/private-key.ts';
import type { CertificateInfo, Issued } from '../../pki/types.ts';
import type { Waiting } from '../wait.ts';

/** A serving certificate, its key and its CA. */
export interface CertificateSet {
  /** PEM for `tls.crt`. */
  readonly chain: string;
  /** The leaf first. */
  readonly presented: readonly CertificateInfo[];
  /** SHA-256 of the leaf. */
  readonly leaf: string;
  readonly anchors: readonly CertificateInfo[];
  /** Absent where it was lost. */
  readonly key: PrivateKey | undefined;
}

/** Stands for a certificate that is not known yet, where only permissions or titles matter. */
export const unknownSet: CertificateSet = { chain: '', presented: [], leaf: '', anchors: [], key: undefined };

/** The set of the certificates of a project; undefined where it has no serving certificate. */
export function certificateSet({ chain, anchors, key }: Issued): CertificateSet | undefined {
  const presented = inspect(chain).certificates;
  const [leaf] = presented;
  if (!leaf) return undefined;
  return { chain, presented, leaf: leaf.fingerprint, anchors: anchors.flatMap(({ pem }) => inspect(pem).certificates), key };
}

/** `leaf`: a new certificate of the same CA. `ca`: a new CA too. */
export type RotationKind = 'leaf' | 'ca';

/** Whether two sets have the same CA certificates. */
export const kindOf = (one: CertificateSet, other: CertificateSet): RotationKind =>
  fingerprints(one) === fingerprints(other) ? 'leaf' : 'ca';

const fingerprints = ({ anchors }: CertificateSet): string =>
  anchors
    .map(({ fingerprint }) => fingerprint)
    .sort()
    .join();

export type RestartMode = 'auto' | 'always' | 'never';

/** How the user wants a rotation to run. */
export interface RotationOptions {
  /** Milliseconds. */
  readonly soakMs: number;
  readonly restart: RestartMode;
  readonly nudge: boolean;
  readonly forceConflicts: boolean;
}

/** A rotation, or its way back: from one set of certificates to another one. */
export interface Rotation extends Waiting, RotationOptions {
  /**
   * Renews the Lease of the rotation, just before each write that the API depends on.
   * @throws RefusedError when another process has the Lease; nothing may be written then
   */
  readonly renewLease: () => Promise<void>;
  readonly registration: Registration;
  /** The time of kube-apiserver, by which it verifies certificates. */
  readonly now: () => Date;
  readonly kind: RotationKind;
  readonly direction: 'forward' | 'back';
  /**
   * Undefined where the way back does not know it, and without certificates where only another
   * machine has them.
   */
  readonly from: CertificateSet | undefined;
  readonly to: CertificateSet;
  /** Whether the Secret never had the new set, so that nothing can serve it. */
  readonly neverServed?: boolean;
  /** The command that rolls back. Default `apisvc rotate --abort`; false where nothing does. */
  readonly undo?: string | false;
  /** Where the set is on disk, for messages. */
  readonly files: { readonly certificate: string; readonly key: string; readonly caCertificate: string };
  /** The CA certificates of both sets on disk, as far as they are known. */
  readonly caFiles: readonly string[];
}

/** How messages call the two sets of certificates. */
export const wordsOf = ({ direction }: Pick<Rotation, 'direction'>) =>
  direction === 'forward' ? ({ from: 'old', to: 'new' } as const) : ({ from: 'new', to: 'old' } as const);

/** The last line of a fix, with the command that rolls back. The way back itself has none. */
export const wayBack = ({ direction, undo = 'apisvc rotate --abort' }: Pick<Rotation, 'direction' | 'undo'>): readonly string[] =>
  direction === 'back' || undo === false ? [] : [`To roll back: ${undo}`];

/** The Service whose certificate is rotated, and its namespace. */
export const serviceOf = ({ registration }: Pick<Rotation, 'registration'>) => ({
  namespace: registration.metadata.namespace,
  name: registration.spec.service.name,
});

/** The name for which kube-apiserver verifies the certificate. */
export const hostOf = (rotation: Pick<Rotation, 'registration'>): string => serverNameOf(serviceOf(rotation));
