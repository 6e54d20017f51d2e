import { appendFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { beforeAll, describe, test } from 'vitest';
import { cluster } from '../../test/cluster/harness/provided.ts';
import { type LoadReport, startLoad } from '../../test/cluster/harness/start-load.ts';
import { type Scenario, scenarios } from './scenarios.ts';
import { type Registered, type ServerName, servers } from './servers.ts';

/**
 * Runs scenarios under load on one cluster. `npm run bench -- rotation` starts this with the
 * selection, and reads the rows.
 */

/** What rotation.mjs passes. An empty list selects all. */
interface Selection {
  /** The file that gets a line of JSON for each row. */
  readonly file: string;
  readonly servers: readonly string[];
  readonly scenarios: readonly string[];
  readonly rates: readonly number[];
  /** What is measured: the short hash of the commit, and the day. */
  readonly commit: string;
  readonly date: string;
}

const { APISVC_ROTATION = '{}', APISVC_KUBELET_SYNC: sync = '10s' } = process.env;
const selection: Selection = JSON.parse(APISVC_ROTATION);

/** The load before and after a scenario. */
const quietMs = 3_000;

const isSelected = (selected: readonly string[], name: string): boolean => selected.length === 0 || selected.includes(name);

/**
 * What does not wait for the kubelet is the same with every sync frequency, so it runs with one.
 */
const scenariosOf = (server: ServerName): [string, Scenario][] =>
  Object.entries(scenarios).filter(
    ([name, each]) => isSelected(selection.scenarios, name) && each.servers.includes(server) && (each.waitsForKubelet || sync === '10s'),
  );

const names = (Object.keys(servers) as ServerName[]).filter((name) => isSelected(selection.servers, name) && scenariosOf(name).length > 0);

describe.each(names)('%s', (name) => {
  let server: Registered;
  beforeAll(async () => {
    server = await servers[name]();
  });

  describe.each(selection.rates)('%i requests per second', (rate) => {
    test.each(scenariosOf(name))('%s', async (scenario, { run }) => {
      const report = await underLoad(rate, server, run);
      const { requests, failures, byText, retried, watch } = report;
      const { commit, date } = selection;
      const figures = { requests, failures, byText, retried, watch };
      const row = { scenario, server: name, sync, kubernetes: cluster.cell.kubernetes, rate, ...figures, commit, date };
      appendFileSync(selection.file, `${JSON.stringify(row)}\n`);
    });
  });
});

async function underLoad(rate: number, server: Registered, run: Scenario['run']): Promise<LoadReport> {
  const load = await startLoad({ ...server.target, rate });
  try {
    await pause(quietMs);
    await run(server);
    await pause(quietMs);
  } catch (error) {
    await load.stop();
    throw error;
  }
  return load.stop();
}
