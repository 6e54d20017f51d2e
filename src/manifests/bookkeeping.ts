import type { KubeObject } from './types.ts';

/** An object without the fields that the server maintains. */
export function withoutBookkeeping({ status: _, ...object }: KubeObject): KubeObject {
  const { resourceVersion, generation, uid, creationTimestamp, managedFields, ...metadata } = object.metadata as Record<string, unknown>;
  return { ...object, metadata: metadata as unknown as KubeObject['metadata'] } as KubeObject;
}
