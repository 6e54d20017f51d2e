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
