import { expect, test } from 'vitest';
import { fixInDirectory } from '../../../src/config/project-commands.ts';

test.each([
  [
    'Finish it: apisvc rotate\nOr roll back: apisvc rotate --abort',
    'Finish it: apisvc rotate -C demo\nOr roll back: apisvc rotate -C demo --abort',
  ],
  [
    'Roll back: apisvc rotate --abort -C demo\nRegister: apisvc register',
    'Roll back: apisvc rotate --abort -C demo\nRegister: apisvc register -C demo',
  ],
  ['Find the cause: apisvc verify v1.example.com', 'Find the cause: apisvc verify v1.example.com'],
  [
    'Remove it: apisvc unregister\nList all: apisvc unregister --leftovers',
    'Remove it: apisvc unregister -C demo\nList all: apisvc unregister --leftovers',
  ],
  [
    "Find the cause: apisvc verify '--kubeconfig=/a b' --context=two v1.example.com",
    "Find the cause: apisvc verify '--kubeconfig=/a b' --context=two v1.example.com",
  ],
  ['Continue: apisvc rotate -C demo', 'Continue: apisvc rotate -C demo'],
])('every command of a fix names the directory once: %j', (fix, expected) => {
  expect(fixInDirectory(fix, 'demo')).toBe(expected);
  expect(fixInDirectory(fix, '.')).toBe(fix);
});
