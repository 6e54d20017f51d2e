import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Status } from '../../../src/diagnosis/status.ts';
import { type AnyApiProject, installAnyApiProject } from '../harness/any-api-project.ts';
import { apisvc, kubectl } from '../harness/commands.ts';
import { type Gate, startGate } from '../harness/gate.ts';
import { codesOf, verifyJson } from '../harness/projects.ts';
import { expectAgreement, placesOf, rotateOk } from '../harness/rotations.ts';
import { isThorough } from '../harness/thorough.ts';

/**
 * At every step of a rotation, verify and status name the rotation and its step, and find nothing
 * else. This holds while it runs, and after it was killed.
 */

const name = 'seen';
let project: AnyApiProject;
let gate: Gate;

beforeAll(async () => {
  project = await installAnyApiProject({ name, replicas: 2 });
  gate = await startGate();
});

afterAll(async () => {
  gate?.stop();
  await kubectl(['delete', 'apiservice', project.apiService, '--ignore-not-found']);
  await kubectl(['delete', 'namespace', name, '--ignore-not-found', '--wait=false']);
});

interface PlannedStep {
  readonly id: string;
  readonly title: string;
}

type Running = ReturnType<typeof apisvc>;
const flagsOf = (flags: readonly string[]) => ['rotate', '-C', project.dir, '--soak', '1s', ...flags];
const start = (...flags: readonly string[]): Running => apisvc([...flagsOf(flags), '--kubeconfig', gate.kubeconfig], { timeout: 400_000 });

async function planOf(...flags: readonly string[]): Promise<readonly PlannedStep[]> {
  const { exitCode, stdout, stderr } = await apisvc([...flagsOf(flags), '--dry-run', '-o', 'json']);
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  // The Lease does not count it.
  return JSON.parse(stdout).steps.filter(({ id }: PlannedStep) => id !== 'verify');
}

/** Resolves when the rotation stands at the start of the step. @throws Error if it ends before */
async function reach(running: Running, step: string): Promise<void> {
  const ended = running.then(({ stderr }) => {
    throw new Error(`the rotation ended before step ${step}:\n${stderr}`);
  });
  await Promise.race([gate.passUntil(step), ended]);
}

async function kill(running: Running): Promise<void> {
  running.kill('SIGKILL');
  await running;
  gate.open();
}

interface Expected {
  /** How verify and status call it. */
  readonly what: string;
  readonly plan: readonly PlannedStep[];
  readonly id: string;
  readonly running: boolean;
}

async function expectSeen({ what, plan, id, running }: Expected): Promise<void> {
  const inProject = { cwd: project.dir };
  const [verified, status] = await Promise.all([verifyJson([], inProject), apisvc(['status', '-o', 'json'], inProject)]);
  const index = plan.findIndex((step) => step.id === id);
  const { title } = plan[index] as PlannedStep;
  // The checks at the end are a step too.
  const step = { number: index + 1, steps: plan.length + 1, title };
  const fact = `${what} ${running ? 'in progress' : 'interrupted'}: step ${step.number} of ${step.steps}, "${title}"; started at `;
  const codes = running ? [] : ['cert/rotation-interrupted'];
  expectVerified(verified, { id, codes, fact });
  const { verdict, failure, rotations, findings }: Status = JSON.parse(status.stdout);
  expect({ id, exitCode: status.exitCode, verdict, failure, codes: findings.map(({ code }) => code) }).toEqual({
    ...{ id, exitCode: 0, verdict: 'same', failure: undefined, codes },
  });
  expect(rotations).toMatchObject([{ step: id, running, ...step }]);
  // The name of the APIService instead of the project leads to the same Lease.
  if (running && index > 1) return;
  expectVerified(await verifyJson([project.apiService]), { id, codes, fact });
  expect(await apisvc(['status', project.apiService])).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(fact) });
}

function expectVerified(
  { exitCode, diagnosis }: Awaited<ReturnType<typeof verifyJson>>,
  { id, codes, fact }: { readonly id: string; readonly codes: readonly string[]; readonly fact: string },
): void {
  const [api] = diagnosis.apis;
  expect({ id, exitCode, verdict: api?.verdict, codes: codesOf(diagnosis), notChecked: api?.notChecked }).toEqual({
    ...{ id, exitCode: 0, verdict: 'healthy', codes, notChecked: [] },
  });
  expect(api?.facts).toEqual(expect.arrayContaining([expect.stringContaining(fact)]));
}

/** Steps that end before anybody could look at them. */
const isShort = ({ id }: PlannedStep): boolean => id === 'promote' || id === 'discard';

/**
 * Looks at each step while the rotation runs. With APISVC_THOROUGH=1 it kills the rotation in the
 * last one, looks again, and finishes it.
 */
async function expectSeenAtEveryStep(what: string, plan: readonly PlannedStep[], ...flags: readonly string[]): Promise<void> {
  const running = start(...flags);
  for (const step of plan.filter(({ id }) => id !== 'issue')) {
    await reach(running, step.id);
    if (!isShort(step)) await expectSeen({ what, plan, id: step.id, running: true });
  }
  if (isThorough) {
    await kill(running);
    await expectSeen({ what, plan, id: plan.at(-1)?.id ?? '', running: false });
    await rotateOk(project, ...flags);
    return;
  }
  gate.open();
  const { exitCode, stderr } = await running;
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
}

test('a rotation of the serving certificate', async () => {
  await expectSeenAtEveryStep('rotation of the serving certificate', await planOf());
  await expectAgreement(project, name);
});

test('a rotation of the CA', async () => {
  await expectSeenAtEveryStep('rotation of the CA', await planOf('--ca'), '--ca');
  await expectAgreement(project, name);
});

test('a killed rotation of the CA, and its abort', async () => {
  const { files: before } = await placesOf(project, name);
  const plan = await planOf('--ca');
  const running = start('--ca');
  await reach(running, 'soak');
  await kill(running);
  await expectSeen({ what: 'rotation of the CA', plan, id: 'soak', running: false });
  await expectSeenAtEveryStep('rollback of the rotation of the CA', await planOf('--abort'), '--abort');
  expect(await expectAgreement(project, name)).toEqual(before);
});
