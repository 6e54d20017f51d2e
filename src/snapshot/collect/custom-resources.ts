import { getObject, listMetadata } from '../../cluster/objects.ts';
import { resources } from '../../cluster/resources.ts';
import type { KubeObject } from '../../manifests/types.ts';
import type { CustomResourceView, Observed } from '../types.ts';
import { type Json, listOf, textOf } from '../views.ts';
import type { CollectContext } from './context.ts';
import { observe } from './observe.ts';

const resource = resources.CustomResourceDefinition;

/**
 * The most that are read of one group: most CustomResourceDefinitions of a group serve the same
 * versions.
 */
const readLimit = 32;

/**
 * Finds the CustomResourceDefinitions of a group. Names are listed once. The objects are large, so
 * only those of the group are read.
 */
export function customResourcesOf(context: CollectContext): (group: string) => Promise<Observed<readonly CustomResourceView[]>> {
  const { cluster, signal } = context;
  let listing: Promise<readonly string[]> | undefined;
  const list = async () => (await listMetadata(cluster, { resource }, signal)).map(({ metadata }) => metadata.name);
  const ofGroup = async (group: string): Promise<KubeObject[]> => {
    listing ??= list();
    const names = (await listing).filter((name) => name.slice(name.indexOf('.') + 1) === group);
    const found = await Promise.all(
      names.slice(0, readLimit).map((name) => getObject(cluster, { resource, namespace: undefined, name }, signal)),
    );
    return found.filter((each) => each !== undefined);
  };
  return (group) =>
    observe(
      context,
      () => ofGroup(group),
      (found) => found.map(viewCustomResource),
    );
}

/** @param object a CustomResourceDefinition */
function viewCustomResource({ metadata, spec }: KubeObject & Json): CustomResourceView {
  const served = listOf(spec?.versions).filter((version) => version.served === true);
  return { name: metadata.name, versions: served.map(({ name }) => textOf(name)) };
}
