import { groupOf } from '../../harness/registrations.ts';
import type { Change } from '../../laboratory/hand-made.ts';
import type { Step } from '../step.ts';
import type { World } from '../world.ts';

/** Registers a server by hand, and looks at what the control plane makes of it. */
export const registration = (name: string, make: (world: World) => Promise<Change>, differs: Step['differs'] = []): Step => ({
  name,
  differs,
  run: async (world) => {
    const { status } = await world.register(await make(world));
    return { created: status, ...(await look(world)) };
  },
});

/**
 * What clients see of the API of a step: the condition, its version among all APIs, the answers for
 * its group and version.
 */
export async function look({ settled, admin, name }: World): Promise<object> {
  const { condition, listed } = await settled();
  const group = groupOf(name);
  const [ofGroup, ofVersion] = await Promise.all([admin.ask('GET', `/apis/${group}`), admin.ask('GET', `/apis/${group}/v1`)]);
  return { condition, listed, group: ofGroup, version: ofVersion };
}
