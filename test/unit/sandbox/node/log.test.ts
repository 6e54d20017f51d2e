import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readLogQuery, selectLines, selectLog } from '../../../../src/sandbox/node/container-logs.ts';
import { createLog } from '../../../../src/sandbox/node/log.ts';
import { containerOf, onNode, podOf } from './objects.ts';

const at = new Date('2030-01-01T00:00:00Z');
const newLog = () =>
  createLog(
    () => at,
    () => {},
  );

test('a log has the same lines in whatever pieces its text comes', () => {
  fc.assert(
    fc.property(fc.array(fc.stringMatching(/^[ab\n]{0,5}$/)), (pieces) => {
      const log = newLog();
      const followed: (string | undefined)[] = [];
      log.follow((line) => followed.push(line?.text));
      for (const piece of pieces) log.write(piece);
      log.close();
      const text = pieces.join('');
      const lines = text.endsWith('\n') || text === '' ? text.split('\n').slice(0, -1) : text.split('\n');
      expect(log.lines.map((line) => line.text)).toEqual(lines);
      expect(followed).toEqual([...lines, undefined]);
    }),
  );
});

test('a log keeps its last 20,000 lines', () => {
  const log = newLog();
  for (let line = 0; line < 20_005; line++) log.write(`${line}\n`);
  expect([log.lines.length, log.lines[0]?.text]).toEqual([20_000, '5']);
});

test('of the lines those are chosen that are wanted', () => {
  const lines = [0, 1, 2, 3].map((seconds) => ({ time: new Date(at.getTime() + seconds * 1000), text: String(seconds) }));
  const chosen = (query: string): string[] =>
    selectLines(lines, readLogQuery(new URLSearchParams(query), new Date(at.getTime() + 4000))).map(({ text }) => text);
  expect(chosen('')).toEqual(['0', '1', '2', '3']);
  expect(chosen('tailLines=2')).toEqual(['2', '3']);
  expect(chosen('tailLines=0')).toEqual([]);
  expect(chosen('sinceSeconds=2')).toEqual(['2', '3']);
  expect(chosen('sinceTime=2030-01-01T00:00:03Z')).toEqual(['3']);
});

test('the log of a container is that of the run that is meant', () => {
  const [now, before] = [newLog(), newLog()];
  const running = { kind: 'running', startedAt: at, log: now } as const;
  const last = { exitCode: 1, startedAt: at, finishedAt: at, log: before };
  const choose = (change: Parameters<typeof containerOf>[0], previous: boolean) =>
    selectLog(onNode(podOf('pod'), containerOf(change)), 'server', previous);
  expect(choose({ state: running, last }, false)).toBe(now);
  expect(choose({ state: running, last }, true)).toBe(before);
  const waiting = { kind: 'waiting', reason: 'CrashLoopBackOff' } as const;
  expect(choose({ state: waiting, last }, false)).toBe(before);
  expect(choose({ state: waiting, last }, true)).toBe(before);
  expect(() => choose({ state: waiting }, false)).toThrow('container "server" in pod "pod" is waiting to start: CrashLoopBackOff');
  expect(() => choose({ state: running }, true)).toThrow('previous terminated container "server" in pod "pod" not found');
  expect(() => selectLog(onNode(podOf('pod')), 'other', false)).toThrow('container "other" not found in pod "pod"');
});
