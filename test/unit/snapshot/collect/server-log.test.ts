import { expect, test } from 'vitest';
import { lastErrors } from '../../../../src/snapshot/collect/server-log.ts';

/** The errors in the log of a server. */

const klog = (severity: string, message: string, second = 0) =>
  `${severity}1128 08:00:0${second}.000000       1 provider.go:227] ${message}`;

test('the last three different errors are kept, in order', () => {
  const errors = [1, 2, 3, 4, 5].map((at) => klog('E', `fault ${at}`));
  expect(lastErrors(errors)).toEqual(errors.slice(2));
});

test('a repeated error is kept once, as it was logged last', () => {
  expect(lastErrors([klog('E', 'no such host', 1), klog('I', 'failed to think', 2), klog('E', 'no such host', 3)])).toEqual([
    klog('E', 'no such host', 3),
  ]);
});

test.each(['time="2026-11-28T08:00:00Z" level=error msg="no"', '{"level":"error","msg":"no"}', 'unable to fetch metrics'])(
  '%s is an error',
  (line) => {
    expect(lastErrors(['all is well', line])).toEqual([line]);
  },
);
