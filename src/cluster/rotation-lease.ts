import { z } from 'zod';
import type { KubeObject } from '../manifests/types.ts';
import { type ObjectRef, resources } from './resources.ts';

/** The annotation of the Lease that tells how far a rotation is. */
export const journalAnnotation = 'apisvc.dev/rotation';

/** What the Lease of a rotation records. Fingerprints are SHA-256; there are no keys. */
export const journalSchema = z.object({
  kind: z.enum(['leaf', 'ca']),
  /** `back` after --abort. */
  direction: z.enum(['forward', 'back']),
  /** Id of the step that runs. */
  step: z.string(),
  /** Its number, from 1. */
  number: z.number(),
  steps: z.number(),
  title: z.string(),
  /** ISO 8601. */
  started: z.string(),
  oldCertificate: z.string().optional(),
  newCertificate: z.string().optional(),
});
export type Journal = z.infer<typeof journalSchema>;

/** The Service whose certificate is rotated. */
export interface RotatedService {
  readonly namespace: string;
  readonly name: string;
}

/** The Lease that only one rotation of a Service can hold. */
export const rotationLease = ({ namespace, name }: RotatedService): ObjectRef => ({
  resource: resources.Lease,
  namespace,
  name: `apisvc-rotation-${name}`,
});

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

function parseJournal(text: string | undefined): Journal | undefined {
  if (text === undefined) return undefined;
  try {
    return journalSchema.safeParse(JSON.parse(text)).data;
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
