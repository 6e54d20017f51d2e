import { expect, test } from 'vitest';
import { completeFix } from '../../../src/commands/complete-fix.ts';
import { RefusedError } from '../../../src/errors.ts';

test('the commands of a fix get the directory and the cluster, in one order, and only once', () => {
  const fix = 'Remove it: apisvc unregister\nOr go back: apisvc rotate --abort\nOr look: apisvc verify v1.a';
  const flags = { directory: 'demo', kubeconfig: '/a b', context: 'two' };
  const error = completeFix(new RefusedError('no', { fix }), flags);
  const cluster = "'--kubeconfig=/a b' --context=two";
  const complete = [
    `Remove it: apisvc unregister ${cluster} -C demo`,
    `Or go back: apisvc rotate ${cluster} -C demo --abort`,
    `Or look: apisvc verify ${cluster} v1.a`,
  ].join('\n');
  expect(error.fix).toBe(complete);
  expect(completeFix(error, flags).fix).toBe(complete);
});
