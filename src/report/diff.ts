import type { ChalkInstance } from 'chalk';
import { structuredPatch } from 'diff';
import { stringify } from 'yaml';
import { formerAnnotation } from '../cluster/former.ts';
import { withoutBookkeeping } from '../manifests/bookkeeping.ts';
import type { KubeObject } from '../manifests/types.ts';
import type { AppliedPair } from '../operations/steps/apply.ts';
import { inspect } from '../pki/inspect.ts';
import { printable } from '../pki/printable.ts';

/**
 * The changes of each object as a unified diff of YAML. Values of Secrets are hidden; the diff only
 * shows whether they differ.
 */
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
  object ? stringify(readableBundle(shortRecord(withoutBookkeeping(object))), { lineWidth: 0, sortMapEntries: true }) : '';

/** The record of former values repeats what the diff shows. */
function shortRecord(object: KubeObject): KubeObject {
  const { annotations = {} } = object.metadata;
  if (annotations[formerAnnotation] === undefined) return object;
  return { ...object, metadata: { ...object.metadata, annotations: { ...annotations, [formerAnnotation]: '(the former values)' } } };
}

/** Shows a caBundle as its certificates instead of base64. */
function readableBundle(object: KubeObject): KubeObject {
  const { caBundle, ...spec } = (object.spec ?? {}) as { readonly caBundle?: string };
  if (object.kind !== 'APIService' || caBundle === undefined) return object;
  const certificates = inspect(Buffer.from(caBundle, 'base64')).certificates.map(
    ({ subject, fingerprint }) => `${subject}, SHA-256 ${fingerprint}`,
  );
  return { ...object, spec: { ...spec, caBundle: certificates.length > 0 ? certificates : caBundle } };
}

/** The annotation in which `kubectl apply` keeps a copy of the object, values included. */
const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

/** Replaces the values of a Secret by marks. A changed value gets another mark. */
function hideSecrets(before: KubeObject | undefined, after: KubeObject): [KubeObject | undefined, KubeObject] {
  if (after.kind !== 'Secret') return [before, after];
  const old = dataOf(before);
  return [
    before && masked(before, () => '(hidden)'),
    masked(after, (key, value) => (old[key] === value ? '(hidden)' : '(hidden, changed)')),
  ];
}

const dataOf = (secret: KubeObject | undefined): Record<string, string> => (secret?.data ?? {}) as Record<string, string>;

function masked(secret: KubeObject, mark: (key: string, value: string) => string): KubeObject {
  const { [lastApplied]: copy, ...annotations } = secret.metadata.annotations ?? {};
  const metadata =
    copy === undefined ? secret.metadata : { ...secret.metadata, annotations: { ...annotations, [lastApplied]: '(hidden)' } };
  return { ...secret, metadata, data: Object.fromEntries(Object.entries(dataOf(secret)).map(([key, value]) => [key, mark(key, value)])) };
}
