import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startSimulation } from '../../../src/sandbox/simulated/simulation.ts';
import { allSteps } from '../harness/all-steps.ts';
import type { KubernetesVersion } from '../harness/cells.ts';
import { type Cluster, cluster } from '../harness/provided.ts';
import { startRun } from '../harness/run.ts';
import { type Outcome, outcomesOf, resultOf, valueAt, withDifferences } from './outcomes.ts';
import { scenario } from './scenario.ts';
import type { Step } from './step.ts';
import type { Target } from './world.ts';

/**
 * The simulation beside real control planes: the same is done to all of them, and the same comes of
 * it, but for the differences that a step lists.
 */

const versions: readonly KubernetesVersion[] = ['1.37', '1.35'];
const outcomes = new Map<string, ReadonlyMap<string, Outcome>>();
const ends: (() => Promise<unknown>)[] = [];

const real = ({ server, files, network, cell: { kubernetes } }: Cluster): Target => ({
  engine: 'real',
  kubernetes,
  server,
  files,
  host: network.hostAddress,
});

async function startReal(kubernetes: KubernetesVersion): Promise<Target> {
  if (kubernetes === cluster.cell.kubernetes) return real(cluster);
  const run = await startRun({ kubernetes, aggregatorRouting: true, node: false });
  ends.push(() => run.stop(false));
  return real(run.cluster);
}

async function startSimulated(kubernetes: KubernetesVersion): Promise<Target> {
  const stateDir = mkdtempSync(join(cluster.stateDir, 'simulation-'));
  // No step gets as far as to a kubelet: no Pod of theirs is on a node.
  const kubelet = { answer: () => {}, upgrade: () => {} };
  const { server, files, stop } = await startSimulation({ stateDir, kubelet, kubernetes, now: new Date() });
  ends.push(stop);
  return { engine: 'simulated', kubernetes, server, files, host: cluster.network.hostAddress };
}

beforeAll(async () => {
  const starting = versions.flatMap((version) => [startReal(version), startSimulated(version)]);
  const targets = await Promise.allSettled(starting).then(() => Promise.all(starting));
  await runOn(targets, scenario);
  // On a busy machine a step may look at a control plane that has not got through with something.
  // All of them do again, with less to do, what differs.
  const doubtful = scenario.filter((step) => versions.some((version) => differs(step, version)));
  if (doubtful.length === 0) return;
  console.error(`Done again, since it differed: ${doubtful.map(({ name }) => name).join(', ')}`);
  await runOn(targets, doubtful);
});

async function runOn(targets: readonly Target[], steps: readonly Step[]): Promise<void> {
  const running = targets.map(async (target) => {
    const at = `${target.engine} ${target.kubernetes}`;
    outcomes.set(at, new Map([...(outcomes.get(at) ?? []), ...(await outcomesOf(target, steps))]));
  });
  await Promise.all(running);
}

function differs(step: Step, version: KubernetesVersion): boolean {
  try {
    compare(step, version);
    return false;
  } catch {
    return true;
  }
}

function compare({ name, differs = [] }: Step, version: KubernetesVersion): void {
  const [truth, simulated] = ['real', 'simulated'].map((engine) => resultOf(outcomes.get(`${engine} ${version}`)?.get(name)));
  const differences = differs.filter(({ on = version }) => on === version);
  for (const { at, real } of differences) {
    expect(valueAt(truth, at), `the real ${at}`).toEqual(real);
    expect(valueAt(simulated, at), `${at}, which is listed as a difference`).not.toEqual(real);
  }
  expect(simulated).toEqual(withDifferences(truth, differences));
}

afterAll(async () => {
  const [fault] = await allSteps(...ends);
  if (fault) throw fault;
});

test('no two steps have the same name', () => {
  const names = scenario.map(({ name }) => name);
  expect(names).toEqual([...new Set(names)]);
});

describe.each(versions)('as Kubernetes %s', (version) => {
  test.each(scenario)('$name', (step) => compare(step, version));
});
