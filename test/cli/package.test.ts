import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';
import { root } from './apisvc.ts';

interface Packed {
  readonly size: number;
  readonly files: readonly { readonly path: string }[];
}

/** What npm would publish. */
const [packed] = JSON.parse(
  execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }),
) as Packed[];
const paths = new Set((packed?.files ?? []).map(({ path }) => path));

test('every link between the pages of the package leads to a file of the package', () => {
  const pages = [...paths].filter((path) => path.endsWith('.md'));
  expect(pages).toContain('README.md');
  const dead = pages.flatMap((page) =>
    [...readFileSync(join(root, page), 'utf8').matchAll(/\]\((?!https?:)([^)#\s]+)[^)]*\)/g)]
      .map(([, link = '']) => normalize(join(dirname(page), link)))
      .filter((path) => !paths.has(path))
      .map((path) => `${page} -> ${path}`),
  );
  expect(dead).toEqual([]);
});

test('the package is small, and contains the JSON Schemas', () => {
  expect(packed?.size).toBeLessThan(540_000);
  expect(paths).toContain('schema/diagnosis.schema.json');
});
