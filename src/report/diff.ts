import type { ChalkInstance } from 'chalk';
import { structuredPatch } from 'diff';
import { stringify } from 'yaml';
import { withoutBookkeeping } from '../manifests/bookkeeping.ts';
import type { KubeObject } from '../manifests/types.ts';
import type { AppliedPair } from '../workflows/apply-all.ts';
import { printable } from './printable.ts';

/** What would change, object by object, as unified diffs of YAML. Values of Secrets are never shown, only whether they differ. */
export function diffText(pairs: readonly AppliedPair[], colors: ChalkInstance): string {
  const changed = pairs.filter(({ applied }) => applied.change !== 'unchanged');
  if (changed.length === 0) return 'No differences.\n';
  return changed.map((pair) => objectDiff(pair, colors)).join('');
}

function objectDiff({ applied, wanted, before, after }: AppliedPair, { bold, green, red, cyan }: ChalkInstance): string {
  const [from, to] = hideSecrets(before, after ?? wanted);
  const { hunks } = structuredPatch('', '', yamlOf(from), yamlOf(to), undefined, undefined, { context: 3 });
  const lines = hunks.flatMap(({ oldStart, oldLines, newStart, newLines, lines }) => [
    cyan(`@@ -${oldStart},${oldLines} +${newStart},${newLines} @@`),
    ...lines.map((line) => (line.startsWith('+') ? green(printable(line)) : line.startsWith('-') ? red(printable(line)) : printable(line))),
  ]);
  const title = before ? applied.object : '/dev/null';
  return [bold(`--- ${title}`), bold(`+++ ${applied.object}`), ...lines, ''].join('\n');
}

const yamlOf = (object: KubeObject | undefined): string =>
  object ? stringify(withoutBookkeeping(object), { lineWidth: 0, sortMapEntries: true }) : '';

/** Puts marks in the place of a Secret's values; a value that differs gets a mark that does. */
function hideSecrets(before: KubeObject | undefined, after: KubeObject): [KubeObject | undefined, KubeObject] {
  if (after.kind !== 'Secret') return [before, after];
  const old = (before?.data ?? {}) as Record<string, string>;
  const mask = (object: KubeObject, word: (key: string, value: string) => string): KubeObject => ({
    ...object,
    data: Object.fromEntries(Object.entries((object.data ?? {}) as Record<string, string>).map(([key, value]) => [key, word(key, value)])),
  });
  return [before && mask(before, () => '(hidden)'), mask(after, (key, value) => (old[key] === value ? '(hidden)' : '(hidden, changed)'))];
}
