import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startSession } from '../../docs/session.ts';
import { expectTranscript, transcript } from '../../docs/transcripts.ts';
import { apisvc, environment, kubectl } from '../harness/commands.ts';
import { emptyFolder } from '../harness/projects.ts';
import { cluster } from '../harness/provided.ts';
import { makeSampleProject } from '../harness/sample-project.ts';

/** The rotations in docs/rotation.md, of the sample API server. */

const home = emptyFolder();

beforeAll(async () => {
  const dir = await makeSampleProject({ name: 'demo', api: 'wardle.example.com/v1alpha1', edit: () => {} });
  symlinkSync(dir, join(home, 'demo'));
  const { exitCode, stderr } = await apisvc(['register', '-C', dir, '--timeout', '85s']);
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
});

afterAll(async () => {
  await kubectl(['delete', 'apiservice', 'v1alpha1.wardle.example.com', '--ignore-not-found']);
  await kubectl(['delete', 'namespace', 'demo', '--ignore-not-found', '--wait=false']);
});

const { run } = startSession(home, environment(cluster.kubeconfig));

test('the plan changes nothing', async () => {
  await expectTranscript(transcript('node', 'rotation-plan'), run);
});

test('a new certificate', async () => {
  await expectTranscript(transcript('node', 'rotation-leaf'), run);
});

test('a new CA', async () => {
  await expectTranscript(transcript('node', 'rotation'), run);
});
