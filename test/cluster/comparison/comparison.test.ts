import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startSimulation } from '../../../src/sandbox/simulated/simulation.ts';
import type { KubernetesVersion } from '../harness/cells.ts';
import { type Cluster, cluster } from '../harness/provided.ts';
import { startRun } from '../harness/run.ts';
import { runAllSteps } from '../harness/run-all-steps.ts';
import { isShort } from '../harness/thorough.ts';
import { type Outcome, outcomesOf, resultOf, valueAt, withDifferences } from './outcomes.ts';
import { perVersion, scenario } from './scenario.ts';
import type { Step } from './step.ts';
import type { Target } from './world.ts';

/**
 * Runs the same steps on the simulation and on real control planes. The results must be equal,
 * except for the differences that a step lists.
 */

const versions: readonly KubernetesVersion[] = ['1.37', '1.35'];
const stepsOn = (version: KubernetesVersion): readonly Step[] => (isShort && version !== '1.37' ? perVersion : scenario);
const outcomes = new Map<string, ReadonlyMap<string, Outcome>>();
/** By the name of a step, the versions on which it differed at first. */
const repeats = new Map<string, readonly KubernetesVersion[]>();
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
  // No step reaches a kubelet: their Pods are not scheduled.
  const kubelet = () => {};
  const { server, files, stop } = await startSimulation({ stateDir, kubelet, kubernetes, now: new Date() });
  ends.push(stop);
  return { engine: 'simulated', kubernetes, server, files, host: cluster.network.hostAddress };
}

beforeAll(async () => {
  const starting = versions.flatMap((version) => [startReal(version), startSimulated(version)]);
  const targets = await Promise.allSettled(starting).then(() => Promise.all(starting));
  await runOn(targets, scenario);
  // On a busy host a step may be faster than a controller. What differs is repeated once.
  for (const step of scenario) {
    const differing = versions.filter((version) => stepsOn(version).includes(step) && differs(step, version));
    if (differing.length > 0) repeats.set(step.name, differing);
  }
  if (repeats.size === 0) return;
  for (const [name, on] of repeats) console.error(`Repeated: ${name}, which differed ${count(on)} (${on.join(', ')})`);
  await runOn(
    targets,
    scenario.filter(({ name }) => repeats.has(name)),
  );
});

const count = ({ length }: readonly unknown[]): string => (length === 1 ? 'once' : `${length} times`);

/**
 * Runs steps on one version after the other. If both ran at the same time, one moment in which the
 * machine is busy would count as a difference on two versions.
 */
async function runOn(targets: readonly Target[], steps: readonly Step[]): Promise<void> {
  for (const version of versions) {
    const running = targets
      .filter(({ kubernetes }) => kubernetes === version)
      .map(async (target) => {
        const at = `${target.engine} ${target.kubernetes}`;
        outcomes.set(
          at,
          new Map([
            ...(outcomes.get(at) ?? []),
            ...(await outcomesOf(
              target,
              steps.filter((step) => stepsOn(version).includes(step)),
            )),
          ]),
        );
      });
    await Promise.all(running);
  }
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
  const [fault] = await runAllSteps(...ends);
  if (fault) throw fault;
});

test('no two steps have the same name', () => {
  const names = scenario.map(({ name }) => name);
  expect(names).toEqual([...new Set(names)]);
});

test('no step needs the repeat on more than one version: that is no accident', () => {
  expect([...repeats].filter(([, on]) => on.length > 1).map(([name]) => name)).toEqual([]);
});

describe.each(versions)('as Kubernetes %s', (version) => {
  test.each(stepsOn(version))('$name', (step) => compare(step, version));
});
