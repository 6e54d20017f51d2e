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
  readonly oldCertificate?: string | undefined;
  readonly newCertificate?: string | undefined;
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
  return {
    holder: holderIdentity ?? '',
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
  const { kind, direction, step, number, steps, title, started, oldCertificate, newCertificate } = found;
  if ((kind !== 'leaf' && kind !== 'ca') || (direction !== 'forward' && direction !== 'back')) return undefined;
  if (typeof number !== 'number' || typeof steps !== 'number') return undefined;
  if (typeof step !== 'string' || typeof title !== 'string' || typeof started !== 'string') return undefined;
  return {
    ...{ kind, direction, step, number, steps, title, started },
    ...(typeof oldCertificate === 'string' ? { oldCertificate } : {}),
    ...(typeof newCertificate === 'string' ? { newCertificate } : {}),
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
  readonly pid: number;
  /** Whether a process of this machine runs. */
  isRunning(pid: number): boolean;
}

/** `alice@laptop (4711)`. */
export const identityOf = ({ user, host, pid }: Holder): string => `${user}@${host} (${pid})`;

/** Whether a holder was a process of this machine that ended, or this process itself. */
export function hasEnded(identity: string, self: Holder): boolean {
  const [, host, pid] = /@([^@]+) \((\d+)\)$/.exec(identity) ?? [];
  return host === self.host && (Number(pid) === self.pid || !self.isRunning(Number(pid)));
}
