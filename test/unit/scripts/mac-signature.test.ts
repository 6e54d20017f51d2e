import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { loadCommandsOf, segmentName, signed } from '../../../scripts/release/mac-signature.mjs';

/** A Mach-O program: two segments, and code of a few pages. */
function program(contents: Buffer): Buffer {
  const file = Buffer.alloc(4096);
  [0xfeedfacf, 0x100000c, 0, 2, 2, 2 * 72].forEach((value, index) => {
    file.writeUInt32LE(value, 4 * index);
  });
  const segments = [
    { name: '__TEXT', offset: 0, bytes: 4096 },
    { name: '__LINKEDIT', offset: 4096, bytes: contents.length },
  ];
  for (const [index, { name, offset, bytes }] of segments.entries()) {
    const at = 32 + 72 * index;
    file.writeUInt32LE(0x19, at);
    file.writeUInt32LE(72, at + 4);
    file.write(name, at + 8, 'latin1');
    file.writeBigUInt64LE(BigInt(offset), at + 40);
    file.writeBigUInt64LE(BigInt(bytes), at + 48);
  }
  return Buffer.concat([file, contents]);
}

const bare = program(Buffer.alloc(10_001, 'code'));
const result = signed(bare, 'apisvc');
const codeBytes = 14_112;

test('the load command names the signature, which is the end of the file and of __LINKEDIT', () => {
  const [, linkedit, signature] = loadCommandsOf(result);
  const at = signature?.offset ?? 0;
  expect(result.readUInt32LE(at)).toBe(0x1d);
  expect(result.readUInt32LE(at + 8)).toBe(codeBytes);
  expect(codeBytes + result.readUInt32LE(at + 12)).toBe(result.length);
  expect(linkedit && segmentName(result, linkedit)).toBe('__LINKEDIT');
  expect(4096 + Number(result.readBigUInt64LE((linkedit?.offset ?? 0) + 48))).toBe(result.length);
});

test('the signature has a hash of each page', () => {
  const directory = result.subarray(codeBytes + 20);
  expect(directory.readUInt32BE(0)).toBe(0xfade0c02);
  const [hashOffset, , , pages] = [16, 20, 24, 28].map((at) => directory.readUInt32BE(at));
  expect(pages).toBe(4);
  for (let page = 0; page < 4; page++) {
    const expected = createHash('sha256')
      .update(result.subarray(page * 4096, Math.min((page + 1) * 4096, codeBytes)))
      .digest('hex');
    expect(directory.toString('hex', (hashOffset ?? 0) + 32 * page, (hashOffset ?? 0) + 32 * (page + 1))).toBe(expected);
  }
});

test('a signed program, and another file, are refused', () => {
  expect(() => signed(result, 'apisvc')).toThrow('signed already');
  expect(() => signed(Buffer.alloc(100), 'apisvc')).toThrow('not a Mach-O program');
});
