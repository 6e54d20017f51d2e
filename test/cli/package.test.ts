import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, normalize } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
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
  expect(packed?.size).toBeLessThan(720_000);
  expect(paths).toContain('schema/diagnosis.schema.json');
});

test('a missing bundle is reported in one line', () => {
  const folder = mkdtempSync(join(tmpdir(), 'apisvc-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  cpSync(join(root, 'bin'), join(folder, 'bin'), { recursive: true });
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(folder, 'bin', 'apisvc.js')], { encoding: 'utf8' });
  expect({ status, stdout, stderr }).toEqual({
    status: 2,
    stdout: '',
    stderr: 'error: dist/main.cjs not found\nfix: Install apisvc again. In a checkout: npm run build\n',
  });
});
