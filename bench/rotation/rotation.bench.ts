import { appendFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { cluster } from '../../test/cluster/harness/provided.ts';
import { type LoadReport, startLoad } from '../../test/cluster/harness/start-load.ts';
import { scenarios } from './scenarios.ts';
import { type Registered, servers } from './servers.ts';

/**
 * Runs scenarios under load on one cluster. `npm run bench -- rotation` starts this with the
 * selection, and reads the rows.
 */

/** What rotation.mjs passes: names of servers and scenarios, and the rates. */
interface Selection {
  readonly rows: string;
  readonly servers: readonly string[];
  readonly scenarios: readonly string[];
  readonly rates: readonly number[];
}

const { APISVC_ROTATION = '{}', APISVC_KUBELET_SYNC: sync } = process.env;
const selected: Selection = JSON.parse(APISVC_ROTATION);

/** The load before and after a scenario. */
const quietMs = 3_000;

describe.each(selected.servers)('%s', (name) => {
  let server: Registered;
  beforeAll(async () => {
    const register = servers[name];
    expect(register).toBeDefined();
    if (register) server = await register();
  });

  describe.each(selected.rates)('%i requests per second', (rate) => {
    test.each(selected.scenarios)('%s', async (scenario) => {
      const report = await underLoad(rate, server, scenarios[scenario]);
      const row = { kubernetes: cluster.cell.kubernetes, sync, server: name, scenario, ...report };
      appendFileSync(selected.rows, `${JSON.stringify(row)}\n`);
    });
  });
});

async function underLoad(
  rate: number,
  server: Registered,
  scenario: (server: Registered) => Promise<unknown> = unknownScenario,
): Promise<LoadReport> {
  const load = await startLoad({ ...server.target, rate });
  try {
    await pause(quietMs);
    await scenario(server);
    await pause(quietMs);
  } catch (error) {
    await load.stop();
    throw error;
  }
  return load.stop();
}

async function unknownScenario(): Promise<never> {
  throw new Error(`unknown scenario: use ${Object.keys(scenarios).join(', ')}`);
}
