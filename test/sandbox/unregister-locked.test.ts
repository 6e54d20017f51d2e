import { execa } from 'execa';
import { expect, onTestFinished, test } from 'vitest';
import { connect } from '../../src/cluster/cluster.ts';
import { apisvc, bin, plainEnv } from '../cli/apisvc.ts';
import { emptyFolder, startSandbox } from './harness.ts';

const { signal } = new AbortController();

test('while unregister removes an API, rotate and register are refused, and name who unregisters it', async () => {
  const cwd = emptyFolder();
  const box = await startSandbox(['--empty'], cwd);
  const run = (...args: string[]) => apisvc(args, { cwd, env: box.env });
  const cluster = await connect({ kubeconfig: box.env.KUBECONFIG }, {}, signal);
  onTestFinished(() => cluster.close());
  expect(await run('init', 'demo', '--preset', 'demo', '--yes')).toMatchObject({ code: 0 });
  expect(await run('register', '-C', 'demo')).toMatchObject({ code: 0 });
  const path = '/apis/apiregistration.k8s.io/v1/apiservices/v1alpha1.demo.apisvc.dev';
  const setFinalizers = async (finalizers: readonly string[] | null): Promise<void> => {
    const contentType = 'application/merge-patch+json';
    const answer = await cluster.request({ method: 'PATCH', path, contentType, body: { metadata: { finalizers } }, signal });
    expect(answer).toMatchObject({ status: 200 });
  };
  await setFinalizers(['example.com/hold']);
  const env = { ...plainEnv, ...box.env };
  const removing = execa(bin, ['unregister', '-C', 'demo', '--yes'], { cwd, env, extendEnv: false, reject: false });
  let stderr = '';
  await new Promise<void>((resolve) => {
    removing.stderr.on('data', (chunk) => {
      stderr += chunk;
      if (stderr.includes('it has the finalizer')) resolve();
    });
  });
  const refused = await Promise.all([run('rotate', '-C', 'demo'), run('register', '-C', 'demo')]);
  for (const each of refused) {
    expect(each).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/error: \S+@\S+ has been changing the certificate of Service demo\/demo since /),
    });
  }
  await setFinalizers(null);
  expect(await removing).toMatchObject({ exitCode: 0, stdout: '9 deleted.' });
  const leases = '/apis/coordination.k8s.io/v1/namespaces/demo/leases/apisvc-rotation-demo';
  expect(await cluster.request({ path: leases, signal })).toMatchObject({ status: 404 });
});
