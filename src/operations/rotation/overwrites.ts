import { fieldOwner } from '../../cluster/managed-fields.ts';
import { refOf } from '../../cluster/objects.ts';
import { describeRef } from '../../cluster/resources.ts';
import { RefusedError } from '../../errors.ts';
import type { KubeObject } from '../../manifests/types.ts';
import type { Rotation } from './rotation.ts';

/**
 * A field of objects that others overwrite. It is restored once. The second time is an error.
 */
export interface Overwrites {
  /**
   * Notes who overwrote the field of an object.
   * @param fix of the error
   * @returns the error where this run has restored the field before
   */
  note(object: KubeObject, fix: readonly string[]): RefusedError | undefined;
  /** Records that this run has restored the field of an object. */
  restored(object: KubeObject): void;
}

/** @param called how messages call the field: `the caBundle` */
export function overwritesOf({ onProgress }: Pick<Rotation, 'onProgress'>, path: readonly string[], called: string): Overwrites {
  const restored = new Set<string>();
  const nameOf = (object: KubeObject): string => describeRef(refOf(object));
  return {
    note(object, fix) {
      const what = `${nameOf(object)}: ${fieldOwner(object, path)} overwrote ${called}`;
      if (restored.has(nameOf(object))) return new RefusedError(`${what} a second time during the rotation`, { fix: fix.join('\n') });
      onProgress({ kind: 'note', what: `${what} during the rotation; restoring it once` });
      return undefined;
    },
    restored: (object) => void restored.add(nameOf(object)),
  };
}
