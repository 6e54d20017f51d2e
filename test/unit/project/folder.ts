import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, onTestFinished } from 'vitest';

/** A new empty directory that goes away after the test. */
export function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'apisvc-unit-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** One that stays for all tests of a file. */
export function sharedFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'apisvc-unit-'));
  afterAll(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** Everything in a directory and below, sorted. */
export const contents = (dir: string): string[] => readdirSync(dir, { recursive: true, encoding: 'utf8' }).sort();

export const modeOf = (path: string): number => statSync(path).mode & 0o777;
