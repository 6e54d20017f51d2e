import { refOf } from '../../cluster/objects.ts';
import { describeRef } from '../../cluster/resources.ts';
import { type RegisterPart, registerParts } from '../../config/register-parts.ts';
import { RefusedError } from '../../errors.ts';
import { projectAnnotation } from '../../manifests/labels.ts';
import type { KubeObject } from '../../manifests/types.ts';

/** The objects of some parts, where another tool applies the rest. @param only default: all */
export const partsOf = (objects: readonly KubeObject[], only: readonly RegisterPart[] | undefined): readonly KubeObject[] =>
  only ? objects.filter(({ kind }) => only.some((part) => registerParts[part] === kind)) : objects;

/**
 * The part of an APIService that apisvc applies where another tool applies the rest: the caBundle.
 * The tool owns the other fields.
 * @throws RefusedError for an APIService that does not exist, because a part cannot be created
 */
export function bundleOnly(wanted: KubeObject, found: KubeObject | undefined): KubeObject {
  if (!found) {
    throw new RefusedError(`${describeRef(refOf(wanted))} not found`, {
      fix: 'Create it with the tool that applies the other manifests, then run this command again. Or register all objects: apisvc register',
    });
  }
  const { apiVersion, kind, metadata, spec } = wanted;
  const { name, annotations } = metadata;
  const { [projectAnnotation]: project = '' } = annotations ?? {};
  const { caBundle } = spec as { readonly caBundle?: string };
  return { apiVersion, kind, metadata: { name, annotations: { [projectAnnotation]: project } }, spec: { caBundle } };
}
