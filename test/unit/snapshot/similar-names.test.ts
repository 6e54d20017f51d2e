import { expect, test } from 'vitest';
import { similarNames } from '../../../src/snapshot/similar-names.ts';

const known = [
  'v1.',
  'v1.apps',
  'v1beta1.metrics.k8s.io',
  'v1beta1.custom.metrics.k8s.io',
  'v1alpha1.demo.apisvc.dev',
  'v1.demo.apisvc.dev',
];

test.each([
  ['the group without a version', 'demo.apisvc.dev', ['v1alpha1.demo.apisvc.dev', 'v1.demo.apisvc.dev']],
  ['another version', 'v1.metrics.k8s.io', ['v1beta1.metrics.k8s.io']],
  ['the beginning of a group', 'metrics', ['v1beta1.metrics.k8s.io']],
  ['a built-in group', 'apps', ['v1.apps']],
  ['a mistyped name', 'v1beta1.metrcis.k8s.io', ['v1beta1.metrics.k8s.io']],
  ['a mistyped group without a version', 'custom.metrics.k8s.oi', ['v1beta1.custom.metrics.k8s.io']],
  ['capital letters', 'V1beta1.metrics.k8s.io', ['v1beta1.metrics.k8s.io']],
  ['nothing known', 'v1.something.else.example.com', []],
])('%s: %s', (_, given, expected) => {
  expect(similarNames(given, known)).toEqual(expected);
});
