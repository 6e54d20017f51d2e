import { getObject, listMetadata } from '../../cluster/objects.ts';
import { resources } from '../../cluster/resources.ts';
import type { KubeObject } from '../../manifests/types.ts';
import type { CustomResourceView, Observed } from '../types.ts';
import { listOf, textOf } from '../views.ts';
import { type Looking, see } from './looking.ts';

// biome-ignore lint/suspicious/noExplicitAny: JSON of a Kubernetes object; every field read below is checked or defaulted.
type Json = any;

const resource = resources.CustomResourceDefinition;

/** As many of a group as are read: the versions of a group mostly are those of all of them. */
const mostRead = 32;

/** Finds the CustomResourceDefinitions of a group. Their names are listed once; whole ones are large, so only those of the group are read. */
export function customResourcesOf(looking: Looking): (group: string) => Promise<Observed<readonly CustomResourceView[]>> {
  const { cluster, signal } = looking;
  let listing: Promise<readonly string[]> | undefined;
  const list = async () => (await listMetadata(cluster, { resource }, signal)).map(({ metadata }) => metadata.name);
  const ofGroup = async (group: string): Promise<KubeObject[]> => {
    listing ??= list();
    const names = (await listing).filter((name) => name.slice(name.indexOf('.') + 1) === group);
    const found = await Promise.all(
      names.slice(0, mostRead).map((name) => getObject(cluster, { resource, namespace: undefined, name }, signal)),
    );
    return found.filter((each) => each !== undefined);
  };
  return (group) =>
    see(
      looking,
      () => ofGroup(group),
      (found) => found.map(viewCustomResource),
    );
}

/** @param object a CustomResourceDefinition */
function viewCustomResource({ metadata, spec }: KubeObject & Json): CustomResourceView {
  const served = listOf(spec?.versions).filter((version) => version.served === true);
  return { name: metadata.name, versions: served.map(({ name }) => textOf(name)) };
}
