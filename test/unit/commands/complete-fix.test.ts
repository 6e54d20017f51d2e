import { expect, test } from 'vitest';
import { resources } from '../../../src/cluster/resources.ts';
import { completeFix } from '../../../src/commands/complete-fix.ts';
import { RefusedError } from '../../../src/errors.ts';
import { grantCommand } from '../../../src/operations/grant-command.ts';

test('the commands of a fix get the directory and the cluster, in one order, and only once', () => {
  const fix = 'Remove it: apisvc unregister\nOr roll back: apisvc rotate --abort\nOr look: apisvc verify v1.a';
  const flags = { directory: 'demo', kubeconfig: '/a b', context: 'two' };
  const error = completeFix(new RefusedError('no', { fix }), flags);
  const cluster = "'--kubeconfig=/a b' --context=two";
  const complete = [
    `Remove it: apisvc unregister ${cluster} -C demo`,
    `Or roll back: apisvc rotate ${cluster} -C demo --abort`,
    `Or look: apisvc verify ${cluster} v1.a`,
  ].join('\n');
  expect(error.fix).toBe(complete);
  expect(completeFix(error, flags).fix).toBe(complete);
});

test('the command that grants permissions reaches the same cluster, and its YAML stays', () => {
  const ref = { resource: resources.Secret, namespace: 'wardle', name: 'kubectl get' };
  const [first = '', ...yaml] = grantCommand('jane', [{ verb: 'get', ref }]).split('\n');
  const { fix } = completeFix(new RefusedError('no', { fix: [first, ...yaml].join('\n') }), { directory: 'demo', context: 'two' });
  expect(fix).toBe([first.replace('kubectl', 'kubectl --context=two'), ...yaml].join('\n'));
});
