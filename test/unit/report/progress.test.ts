import { describe, expect, test } from 'vitest';
import type { AppliedObject } from '../../../src/operations/progress.ts';
import { appliedSummary, progressLine } from '../../../src/report/progress.ts';

const applied = (...changes: AppliedObject['change'][]): AppliedObject[] =>
  changes.map((change, i) => ({ object: `service/a/${i}`, change }));

describe('one line for all', () => {
  test.each([
    ['Nothing changed: all 2 objects are up to date.', applied('unchanged', 'unchanged')],
    ['3 objects: 1 created, 1 configured, 1 unchanged.', applied('created', 'configured', 'unchanged')],
    ['2 objects: 2 created.', applied('created', 'created')],
  ])('%s', (line, objects) => {
    expect(appliedSummary(objects)).toBe(line);
  });
});

describe('progress', () => {
  test.each([
    ['==> registering the API', { kind: 'step', what: 'registering the API' }],
    ['    Trusting both CAs (done)', { kind: 'skipped', what: 'Trusting both CAs' }],
    ['    service/a/0 created', { kind: 'applied', applied: { object: 'service/a/0', change: 'created' } }],
    [
      '    service/a/0 not checked: its namespace or role does not exist yet',
      { kind: 'applied', applied: { object: 'service/a/0', change: 'unchecked' } },
    ],
    ['    waiting for x: y\\x1b[2J', { kind: 'waiting', what: 'x', last: 'y\u001b[2J' }],
    ['==> registering \\x1b]0;owned\\x07', { kind: 'step', what: 'registering \u001b]0;owned\u0007' }],
    ['    service/a/\\x9b31m created', { kind: 'applied', applied: { object: 'service/a/\u009b31m', change: 'created' } }],
    ['    note: careful\\x0d', { kind: 'note', what: 'careful\r' }],
    ['    service/a/b: taken over from project a/first', { kind: 'taken-over', object: 'service/a/b', from: 'a/first' }],
    [
      '    apiservice/v1.a: restored manually edited fields (.spec.caBundle: \\x202e)',
      { kind: 'restored', object: 'apiservice/v1.a', conflicts: [{ field: '.spec.caBundle', owner: '\u202e' }] },
    ],
    ['    note: careful', { kind: 'note', what: 'careful' }],
    [
      '    apiservice/v1.a: restored manually edited fields (.spec.caBundle: conflict with "kubectl-patch")',
      { kind: 'restored', object: 'apiservice/v1.a', conflicts: [{ field: '.spec.caBundle', owner: 'conflict with "kubectl-patch"' }] },
    ],
  ] as const)('%s', (line, progress) => {
    expect(progressLine(progress)).toBe(line);
  });
});
