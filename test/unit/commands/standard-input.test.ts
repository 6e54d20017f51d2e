import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { readStandardInput } from '../../../src/commands/standard-input.ts';
import { InterruptedError } from '../../../src/errors.ts';

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
