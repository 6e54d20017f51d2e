import type { ObjectRef } from '../../cluster/resources.ts';
import type { KubeObject } from '../../manifests/types.ts';

/** What happens to an object. */
export interface Target {
  readonly ref: ObjectRef;
  /** The object as it was found, perhaps only its metadata. */
  readonly found: KubeObject;
  readonly action: 'delete' | 'restore' | 'leave';
  /** Why it is left. */
  readonly reason?: string;
  /** The project that it belongs to instead. */
  readonly otherProject?: string;
  /** Whether it is deleted whoever created it, but only in the version that was found. */
  readonly ofAnybody?: boolean;
}
