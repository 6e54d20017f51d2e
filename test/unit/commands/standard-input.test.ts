import { execFileSync } from 'node:child_process';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { readStandardInput, writePipe } from '../../../src/commands/standard-input.ts';
import { InterruptedError } from '../../../src/errors.ts';
import { folder } from '../project/folder.ts';

test('standard input is read to its end', async () => {
  const stdin = new PassThrough();
  stdin.end('kind: List\n');
  expect(await readStandardInput({ stdin: () => stdin, interrupt: new AbortController().signal })).toBe('kind: List\n');
});

test('Ctrl-C ends the wait for standard input', async () => {
  const interrupt = new AbortController();
  const reading = readStandardInput({ stdin: () => new PassThrough(), interrupt: interrupt.signal });
  interrupt.abort(new InterruptedError('SIGINT'));
  await expect(reading).rejects.toBeInstanceOf(InterruptedError);
});

test('a reader that ends before it has read a pipe is an error in plain words', async () => {
  const pipe = join(folder(), 'pipe');
  execFileSync('mkfifo', [pipe]);
  // More than a pipe holds.
  const writing = writePipe(pipe, 'a'.repeat(2 ** 20), { interrupt: new AbortController().signal });
  const failed = expect(writing).rejects.toThrow(`failed to write ${pipe}: the process that reads from it has ended`);
  const reader = await open(pipe, 'r');
  await reader.close();
  await failed;
});
