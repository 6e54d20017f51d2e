import type { KubeObject } from '../../../../src/manifests/types.ts';
import type { Client } from '../client.ts';
import type { Difference, Step } from '../step.ts';
import type { World } from '../world.ts';
import { collection, configMap } from './config-maps.ts';

/** Three objects to read, list and watch. */

/**
 * Creates three objects that have a label with the name of the step.
 * @param run - takes the path that selects them
 */
export const selecting = (
  name: string,
  run: (world: World, path: string) => Promise<unknown>,
  differs: readonly Difference[] = [],
): Step => ({
  name,
  differs,
  run: async (world) => {
    await world.create(...['a', 'b', 'c'].map((suffix) => selected(name, suffix)));
    return run(world, `${collection}?labelSelector=of%3D${name}`);
  },
});

/** An object with this label. */
export const selected = (step: string, suffix: string): KubeObject =>
  configMap(`${step}-${suffix}`, { a: suffix }, { labels: { of: step, is: suffix } });

/** The resource version of an object or a list. */
export async function versionOf({ ask }: Client, path: string): Promise<string> {
  const { body } = await ask('GET', path);
  return (body as { metadata: { resourceVersion: string } }).metadata.resourceVersion;
}
