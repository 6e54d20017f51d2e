import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { resourcePath, resources } from '../../src/cluster/resources.ts';
import { startApisvc } from '../cli/running.ts';
import { installed, name, withoutCa } from './installed.ts';

const { signal } = new AbortController();

test('while a rotation of the same Service runs, secure and --undo name it and change nothing', async () => {
  const { cwd, run, objects, cluster, env } = await installed(withoutCa);
  expect(await run('secure', name, '--yes')).toMatchObject({ code: 0 });
  const args = ['rotate', '-C', 'demo', '--ca', '--soak', '10m', '--timeout', '15m'];
  const { running: rotating, said } = startApisvc(args, { cwd, env });
  await vi.waitFor(() => expect(said()).toMatch(/==> Watching all endpoints for 600s/), { timeout: 100_000, interval: 200 });
  // Stopped, so that it neither ends nor disturbs what follows.
  rotating.kill('SIGSTOP');
  // Somebody registers another version of the API, without verification.
  const other = name.replace('v1alpha1', 'v1beta1');
  const spec = {
    group: 'demo.apisvc.dev',
    version: 'v1beta1',
    groupPriorityMinimum: 1000,
    versionPriority: 15,
    service: { namespace: 'demo', name: 'demo', port: 443 },
    insecureSkipTLSVerify: true,
  };
  const body = { apiVersion: 'apiregistration.k8s.io/v1', kind: 'APIService', metadata: { name: other }, spec };
  const path = resourcePath(resources.APIService);
  expect(await cluster.request({ method: 'POST', path, body, signal })).toMatchObject({ status: 201 });

  const before = await objects();
  const inProgress =
    /error: a rotation of the certificate of Service demo\/demo is not complete: it started at \S+Z, and was last run by \S+\nnothing was changed\nfix: If the rotation is running, wait/;
  for (const args of [
    [name, '--undo', '--yes'],
    [other, '--yes', '-C', 'elsewhere'],
    [other, '--diff', '-C', 'elsewhere'],
  ]) {
    const { code, stderr } = await run('secure', ...args);
    expect({ args, code, stderr }).toMatchObject({ code: 1, stderr: expect.stringMatching(inProgress) });
  }
  // The files say it too.
  expect(await run('secure', other, '--yes')).toMatchObject({ code: 1, stderr: expect.stringContaining('apisvc rotate -C demo') });
  expect(existsSync(join(cwd, 'elsewhere'))).toBe(false);
  expect(await objects()).toEqual(before);
});
