import { expect, test } from 'vitest';
import { type Delays, settleTime } from '../../../../src/operations/rotation/settle-time.ts';

const late = 'kube-apiserver applies changes to APIServices later while an extension API server is slow or unavailable';

test.each<[string, Delays, number, string]>([
  ['there is time for one server that is not seen', { slow: [], unavailable: [] }, 130_000, 'nobody knows'],
  [
    'there is no more time for servers that fail',
    { slow: [], unavailable: ['c fails', 'd fails'] },
    130_000,
    `nobody knows; ${late}: c fails; d fails`,
  ],
  [
    'there is time for each slow server',
    { slow: ['a is slow', 'b is slow'], unavailable: [] },
    250_000,
    `nobody knows; ${late}: a is slow; b is slow`,
  ],
])('where the queue is not known, %s', (_, delays, ms, why) => {
  expect(settleTime(delays, 'nobody knows')).toEqual({ ms, why });
});
