import { groupOf } from '../../harness/registrations.ts';
import type { Change } from '../../laboratory/hand-made.ts';
import type { Step } from '../step.ts';
import type { World } from '../world.ts';

/** Registers a server by hand, and returns the state of its API. */
export const registration = (name: string, make: (world: World) => Promise<Change>, differs: Step['differs'] = []): Step => ({
  name,
  differs,
  run: async (world) => {
    const { status } = await world.register(await make(world));
    return { created: status, ...(await stateOf(world)) };
  },
});

/** The state of the API of a step: the condition, its discovery, and its answers. */
export async function stateOf({ settled, admin, name }: World): Promise<object> {
  const { condition, listed } = await settled();
  const group = groupOf(name);
  const [ofGroup, ofVersion] = await Promise.all([admin.ask('GET', `/apis/${group}`), admin.ask('GET', `/apis/${group}/v1`)]);
  return { condition, listed, group: ofGroup, version: ofVersion };
}
