import { expect, onTestFinished, test } from 'vitest';
import { connect } from '../../src/cluster/cluster.ts';
import { grantRule } from './granting.ts';
import { registeredDemo } from './harness.ts';

const name = 'v1alpha1.demo.apisvc.dev';

test('what a user without permissions reads has no gaps, and at most one command to paste', async () => {
  const { run } = await registeredDemo();
  for (const args of [
    ['register', '-C', 'demo'],
    ['register', '-C', 'demo', '--dry-run=server'],
    ['rotate', '-C', 'demo'],
    ['rotate', '-C', 'demo', '--ca', '--dry-run'],
    ['rotate', '-C', 'demo', '--abort'],
    ['secure', name, '--yes'],
    ['secure', name, '--undo', '--yes'],
    ['unregister', '-C', 'demo', '--yes'],
    ['unregister', '-C', 'demo', '--dry-run=client'],
    ['unregister', 'demo/demo', '--yes'],
    ['unregister', name, '--yes'],
    ['unregister', '--leftovers'],
    ['verify', name],
    ['verify', '-C', 'demo'],
    ['status', name],
    ['status', '-C', 'demo'],
  ]) {
    const { code, stdout, stderr } = await run(...args, '--as', 'jane');
    const output = stdout + stderr;
    expect({ args, code, output }).toMatchObject({ code: args[0] === 'verify' ? expect.toBeOneOf([1, 3]) : 3 });
    expect({ args, output }).toMatchObject({ output: expect.not.stringMatching(/undefined|null|NaN|\[object|namespace (:|$)/m) });
    expect({ args, commands: output.split('auth reconcile').length - 1 }).toMatchObject({ commands: expect.toBeOneOf([0, 1]) });
  }
});

test('status does not call the places the same without the permission to read the Secret', async () => {
  const { run, box } = await registeredDemo();
  const cluster = await connect({ kubeconfig: box.env.KUBECONFIG }, {}, new AbortController().signal);
  onTestFinished(() => cluster.close());
  await grantRule(cluster, 'jane', {
    apiGroups: ['', 'apiregistration.k8s.io', 'coordination.k8s.io', 'discovery.k8s.io'],
    resources: ['apiservices', 'endpointslices', 'leases', 'pods', 'pods/portforward', 'services'],
    verbs: ['get', 'list', 'create'],
  });
  const status = (...args: string[]) => run('status', name, ...args, '--as', 'jane');
  expect(await status()).toMatchObject({
    code: 3,
    stdout: expect.stringMatching(/\n\nnot checked\n {2}Secret in namespace demo: [^\n]+\n\nfailed: certificates that were not checked\n$/),
  });
  const { code, stdout } = await status('-o', 'json');
  expect({ code, status: JSON.parse(stdout) }).toMatchObject({
    code: 3,
    status: { verdict: 'unknown', failure: 'certificates that were not checked', findings: [] },
  });
  await grantRule(cluster, 'jane', { apiGroups: [''], resources: ['secrets'], verbs: ['get'] });
  const all = await status('-o', 'json');
  expect({ code: all.code, status: JSON.parse(all.stdout) }).toMatchObject({ code: 0, status: { verdict: 'same' } });
});
