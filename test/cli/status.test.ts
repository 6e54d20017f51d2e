import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { apisvc } from './apisvc.ts';

test.each([
  ['status', 'Pass the name of an APIService, or set the project directory with -C.'],
  ['verify', 'Pass the name of an APIService or --all, or set the project directory with -C.'],
])('%s without a project advises only flags that it has', async (command, fix) => {
  const cwd = mkdtempSync(join(tmpdir(), 'apisvc-test-'));
  onTestFinished(() => rmSync(cwd, { recursive: true }));
  expect(await apisvc([command], { cwd })).toEqual({
    code: 2,
    stdout: '',
    stderr: `error: no APIService given, and no apisvc.yaml in this directory\nfix: ${fix}\n`,
  });
});
