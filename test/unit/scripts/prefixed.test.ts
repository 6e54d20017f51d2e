import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { writePrefixed } from '../../../scripts/prefixed.mjs';

test('a line is written when it is complete, before the stream ends', async () => {
  const stream = new PassThrough();
  const seen: string[] = [];
  let wasWritten = () => {};
  const written = new Promise<void>((resolve) => {
    wasWritten = resolve;
  });
  const ended = writePrefixed(stream, 'node-1.37', (line) => {
    seen.push(line);
    wasWritten();
  });
  stream.write('one\ntw');
  await written;
  expect(seen).toEqual(['node-1.37 | one\n']);
  stream.end('o\n\nthree');
  await ended;
  expect(seen).toEqual(['one', 'two', '', 'three'].map((line) => `node-1.37 | ${line}\n`));
});

test('a character that arrives in two parts stays whole', async () => {
  const bytes = Buffer.from('✓ ok\n');
  const seen: string[] = [];
  await writePrefixed(Readable.from([bytes.subarray(0, 1), bytes.subarray(1)]), 'cli', (line) => seen.push(line));
  expect(seen).toEqual(['cli | ✓ ok\n']);
});

test('continuous integration counts the summary, and no line of a tier', async () => {
  const summary = ['tier unit: 2 passed, 1 failed, 0 skipped - FAILED', 'failed: a.test.ts: x', 'tests: 2 passed, 1 failed, 0 skipped', ''];
  let log = '';
  await writePrefixed(Readable.from([Buffer.from(summary.join('\n'))]), 'unit', (line) => {
    log += line;
  });
  log += summary.join('\n');
  const script = readFileSync(join(import.meta.dirname, '..', '..', '..', '.ci', 'run'), 'utf8');
  const [counting = ''] = /^grep -E .*\nawk .*$/m.exec(script) ?? [];
  const { stdout } = spawnSync('bash', ['-c', counting.replaceAll('"$log"', '<(printf %s "$LOG")')], {
    encoding: 'utf8',
    env: { ...process.env, LOG: log },
  });
  expect(stdout.split('\n')).toEqual(summary);
});
