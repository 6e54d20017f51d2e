import { expect, test } from 'vitest';
import { scheduleFault } from '../../../src/config/cron.ts';
import { schedules } from './schedules.ts';

const empty = ['', 'expected exactly 5 fields, found 0'] as const;

test.each([...schedules, empty].map(([schedule, fault]) => ({ schedule, fault })))('$schedule: $fault', ({ schedule, fault }) => {
  expect(scheduleFault(schedule)).toBe(fault);
});
