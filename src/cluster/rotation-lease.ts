import { managedByLabel } from '../manifests/labels.ts';
import type { KubeObject } from '../manifests/types.ts';
import { type ObjectRef, resources } from './resources.ts';

/** The annotation of the Lease that tells how far a rotation is. */
export const journalAnnotation = 'apisvc.dev/rotation';

/** What the Lease of a rotation records. Fingerprints are SHA-256; there are no keys. */
export interface Journal {
  readonly kind: 'leaf' | 'ca';
  /** `back` after --abort. */
  readonly direction: 'forward' | 'back';
  /** Id of the step that runs. */
  readonly step: string;
  /** Its number, from 1. */
  readonly number: number;
  readonly steps: number;
  readonly title: string;
  /** ISO 8601. */
  readonly started: string;
  /** Who recorded this: `alice@laptop`. Who only tries to continue it records nothing. */
  readonly holder: string;
  readonly oldCertificate?: string | undefined;
  /** Absent where cert-manager makes it, and on a way back that does not know it. */
  readonly newCertificate?: string | undefined;
  /** Whether the Secret never had the new certificate, so that nothing can serve it. */
  readonly neverServed?: boolean;
}

/** The Service whose certificate is rotated. */
export interface RotatedService {
  readonly namespace: string;
  readonly name: string;
}

/** The Lease that only one rotation of a Service can hold. */
export const rotationLease = ({ namespace, name }: RotatedService): ObjectRef => ({
  resource: resources.Lease,
  namespace,
  name: `${namePrefix}${name}`,
});

const namePrefix = 'apisvc-rotation-';

/** The Service of such a Lease; undefined for a Lease with another name. */
export const serviceOfLease = ({ metadata: { name, namespace } }: KubeObject): RotatedService | undefined =>
  name.startsWith(namePrefix) && namespace !== undefined ? { namespace, name: name.slice(namePrefix.length) } : undefined;

/** The labels of the Lease, so that all rotations of a cluster can be listed. */
export const rotationLeaseLabels = { [managedByLabel]: 'apisvc' };
export const rotationLeaseSelector = `${managedByLabel}=apisvc`;

/**
 * The Lease of a rotation as it is in the cluster (k8s.io/api/coordination/v1/types.go, LeaseSpec).
 */
export interface RotationLease {
  /** Empty where nobody holds it. */
  readonly identity: string;
  /** The holder, for messages: `alice@laptop`. */
  readonly holder: string;
  /** ISO 8601, by the clock of the holder. */
  readonly acquired: string | undefined;
  readonly renewed: string | undefined;
  readonly durationSeconds: number;
  readonly transitions: number;
  /** Undefined before the first step, and for an annotation that cannot be read. */
  readonly journal: Journal | undefined;
}

/** Reads the Lease of a rotation. */
export function viewRotationLease({ metadata, spec }: KubeObject): RotationLease {
  const { holderIdentity, acquireTime, renewTime, leaseDurationSeconds, leaseTransitions } = (spec ?? {}) as LeaseSpec;
  const identity = holderIdentity ?? '';
  return {
    identity,
    holder: identity.replace(uuidSuffix, ''),
    acquired: acquireTime ?? undefined,
    renewed: renewTime ?? undefined,
    durationSeconds: leaseDurationSeconds ?? 15,
    transitions: leaseTransitions ?? 0,
    journal: parseJournal(metadata.annotations?.[journalAnnotation]),
  };
}

interface LeaseSpec {
  readonly holderIdentity?: string | null;
  readonly acquireTime?: string | null;
  readonly renewTime?: string | null;
  readonly leaseDurationSeconds?: number | null;
  readonly leaseTransitions?: number | null;
}

/** Anyone who may write Leases may write the annotation, so that only what is valid is read. */
function parseJournal(text: string | undefined): Journal | undefined {
  const found = parseJson(text ?? '');
  if (!isRecord(found)) return undefined;
  const { kind, direction, step, number, steps, title, started, holder, oldCertificate, newCertificate, neverServed } = found;
  if ((kind !== 'leaf' && kind !== 'ca') || (direction !== 'forward' && direction !== 'back')) return undefined;
  if (typeof number !== 'number' || typeof steps !== 'number') return undefined;
  if (typeof step !== 'string' || typeof title !== 'string' || typeof started !== 'string' || typeof holder !== 'string') return undefined;
  return {
    ...{ kind, direction, step, number, steps, title, started, holder },
    ...(typeof oldCertificate === 'string' ? { oldCertificate } : {}),
    ...(typeof newCertificate === 'string' ? { newCertificate } : {}),
    ...(neverServed === true ? { neverServed } : {}),
  };
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The process that holds a Lease. */
export interface Holder {
  readonly user: string;
  readonly host: string;
  /** A UUID that no other process has. Two containers may share a host name and a process id. */
  readonly id: string;
}

/** `alice@laptop`, for messages. */
export const holderName = ({ user, host }: Holder): string => `${user}@${host}`;

/**
 * The `holderIdentity` of a process. The components of Kubernetes append a UUID in the same way
 * (k8s.io/kubernetes/cmd/kube-controller-manager/app/controllermanager.go).
 */
export const identityOf = (holder: Holder): string => `${holderName(holder)}_${holder.id}`;

const uuidSuffix = /_[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;
