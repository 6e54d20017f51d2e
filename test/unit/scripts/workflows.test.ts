import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { targets } from '../../../scripts/release/targets.mjs';

const root = join(import.meta.dirname, '..', '..', '..');
const text = (path: string): string => readFileSync(join(root, path), 'utf8');
const files = ['action.yml', '.github/workflows/ci.yml', '.github/workflows/release.yml'];

test.each(files)('%s: every action has a version, and every script exists', (file) => {
  expect(
    text(file)
      .match(/uses: .*/g)
      ?.filter((line) => !/@v\d+$/.test(line)),
  ).toEqual([]);
  const { scripts } = JSON.parse(text('package.json'));
  for (const [, name = ''] of text(file).matchAll(/npm run ([\w:-]+)/g)) expect(scripts).toHaveProperty([name]);
});

test('jobs may only read, unless they say otherwise', () => {
  for (const file of files.slice(1)) expect(parse(text(file)).permissions).toEqual({ contents: 'read' });
});

test('a release is published with provenance, after each executable has run', () => {
  const { jobs } = parse(text('.github/workflows/release.yml'));
  expect(jobs.publish).toMatchObject({ needs: 'try', permissions: { 'id-token': 'write', attestations: 'write' } });
  expect(text('.github/workflows/release.yml')).toContain('npm publish --provenance');
  expect(jobs.try.strategy.matrix.include.map(({ platform }: { platform: string }) => platform)).toEqual(targets.map(({ name }) => name));
  const installed = [...text('action/install.sh').matchAll(/platform=([\w-]+)/g)].map(([, name]) => name);
  expect(installed).toEqual(targets.map(({ name }) => name));
});
