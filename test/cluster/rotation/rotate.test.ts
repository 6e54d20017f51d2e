import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pickupQueueIn } from '../../../src/operations/rotation/pickup-queue.ts';
import { type AnyApiProject, installAnyApiProject, removeAnyApiProject } from '../harness/any-api-project.ts';
import { kubectlOk } from '../harness/projects.ts';
import { cluster } from '../harness/provided.ts';
import { expectAgreement, expectNoFailure, placesOf, rotateOk, underLoad } from '../harness/rotations.ts';
import { isShort } from '../harness/thorough.ts';

/** Rotations of three pods under load: no request fails, and the watch survives. */

const flags = { keeping: [], closing: ['--close-connections'] };

/** Connections that are kept hide faults, so one kind is enough for the older version. */
const kinds = isShort && cluster.cell.kubernetes === '1.35' ? (['closing'] as const) : (['keeping', 'closing'] as const);

describe.each(kinds)('a server that is %s connections', (kind) => {
  const name = `rotate-${kind}`;
  let project: AnyApiProject;

  beforeAll(async () => {
    project = await installAnyApiProject({ name, replicas: 3, flags: flags[kind] });
  });

  afterAll(() => removeAnyApiProject(project, name));

  test('gets a new certificate of the same CA', async () => {
    const { files: before } = await placesOf(project, name);
    const report = await underLoad(project, async () => console.log(await rotateOk(project)));
    const after = await expectAgreement(project, name);
    expect(after.ca).toEqual(before.ca);
    expect(after.leaf).not.toEqual(before.leaf);
    expectNoFailure(report);
  });

  test('gets a new CA', async () => {
    const { files: before } = await placesOf(project, name);
    const report = await underLoad(project, async () => console.log(await rotateOk(project, '--ca', '--soak', '2s')));
    const after = await expectAgreement(project, name);
    expect(after.ca).not.toEqual(before.ca);
    expectNoFailure(report);
  });
});

test('the metrics of kube-apiserver tell which APIServices it has not picked up', async () => {
  const queue = pickupQueueIn(await kubectlOk(['get', '--raw', '/metrics']));
  expect(queue).toEqual({ waiting: expect.any(Number), busySeconds: expect.any(Number) });
});
