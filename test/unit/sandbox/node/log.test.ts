import fc from 'fast-check';
import { expect, test } from 'vitest';
import { selectLog } from '../../../../src/sandbox/node/kubelet.ts';
import { createLog } from '../../../../src/sandbox/node/log.ts';
import { containerOf, onNode, podOf } from './objects.ts';

const at = new Date('2030-01-01T00:00:00Z');
const newLog = () => createLog(() => {});

test('the lines of a log do not depend on how its text is split', () => {
  fc.assert(
    fc.property(fc.array(fc.stringMatching(/^[ab\n]{0,5}$/)), (pieces) => {
      const log = newLog();
      const followed: (string | undefined)[] = [];
      log.follow((line) => followed.push(line));
      for (const piece of pieces) log.write(piece);
      log.close();
      const text = pieces.join('');
      const lines = text.endsWith('\n') || text === '' ? text.split('\n').slice(0, -1) : text.split('\n');
      expect(log.lines).toEqual(lines);
      expect(followed).toEqual([...lines, undefined]);
    }),
  );
});

test('a log keeps its last 20,000 lines', () => {
  const log = newLog();
  for (let line = 0; line < 20_005; line++) log.write(`${line}\n`);
  expect([log.lines.length, log.lines[0]]).toEqual([20_000, '5']);
});

test('selectLog selects the log of the current or the previous run', () => {
  const [now, before] = [newLog(), newLog()];
  const running = { kind: 'running', startedAt: at, log: now } as const;
  const last = { exitCode: 1, startedAt: at, finishedAt: at, log: before };
  const select = (change: Parameters<typeof containerOf>[0], previous: boolean) =>
    selectLog(onNode(podOf('pod'), containerOf(change)), 'server', previous);
  expect(select({ state: running, last }, false)).toBe(now);
  expect(select({ state: running, last }, true)).toBe(before);
  const waiting = { kind: 'waiting', reason: 'CrashLoopBackOff' } as const;
  expect(select({ state: waiting, last }, false)).toBe(before);
  expect(select({ state: waiting, last }, true)).toBe(before);
  expect(select({ state: waiting }, false)).toEqual({
    status: 400,
    message: 'container "server" in pod "pod" is waiting to start: CrashLoopBackOff',
  });
  expect(select({ state: running }, true)).toEqual({
    status: 400,
    message: 'previous terminated container "server" in pod "pod" not found',
  });
  expect(selectLog(onNode(podOf('pod')), 'other', false)).toEqual({ status: 404, message: 'container "other" not found in pod "pod"' });
});
