import { expect, test } from 'vitest';
import { isHeldUp, pickupQueueIn } from '../../../../src/operations/rotation/pickup-queue.ts';

const metrics = (waiting: string, busy: string): string =>
  [
    '# TYPE workqueue_depth gauge',
    'workqueue_depth{name="APIServiceRegistrationController"} 7',
    'workqueue_depth{name="AvailableConditionController"} 4',
    'workqueue_longest_running_processor_seconds{name="APIServiceRegistrationController"} 0.5',
    'workqueue_longest_running_processor_seconds{name="other"} 99',
    '',
  ]
    .join('\n')
    .replace(' 7\n', ` ${waiting}\n`)
    .replace(' 0.5\n', ` ${busy}\n`);

test('the queue of the worker is read from the metrics', () => {
  expect(pickupQueueIn(metrics('2', '13.25'))).toEqual({ waiting: 2, busySeconds: 13.25 });
  expect(pickupQueueIn(metrics('0', '1e-05'))).toEqual({ waiting: 0, busySeconds: 0.00001 });
});

test('metrics without the queue tell nothing', () => {
  expect(pickupQueueIn('')).toBeUndefined();
  expect(pickupQueueIn(metrics('?', '1'))).toBeUndefined();
});

test('a change is held up while the worker is at what came before', () => {
  expect(isHeldUp({ waiting: 1, busySeconds: 0 }, 10)).toBe(true);
  expect(isHeldUp({ waiting: 0, busySeconds: 12 }, 10)).toBe(true);
  expect(isHeldUp({ waiting: 0, busySeconds: 8 }, 10)).toBe(false);
  expect(isHeldUp({ waiting: 0, busySeconds: 0 }, 10)).toBe(false);
});
