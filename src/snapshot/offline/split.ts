import type { ManifestFault } from '../../manifests/types.ts';

/** One document of a file. */
export interface DocumentText {
  readonly text: string;
  /** The line of the file where the text starts, from 0. */
  readonly line: number;
  /** The value, where the document is JSON. */
  readonly json?: unknown;
}

export interface SplitText {
  readonly documents: readonly DocumentText[];
  readonly faults: readonly ManifestFault[];
}

/**
 * Splits a file into documents as kubectl does (k8s.io/apimachinery/pkg/util/yaml/decoder.go,
 * YAMLOrJSONDecoder): JSON values one after the other, otherwise YAML documents between lines that
 * start with `---`.
 */
export function splitDocuments(file: string, whole: string): SplitText {
  const text = whole.replace(/^\uFEFF/, '');
  if (!/^\s*\{/.test(text)) return splitYaml(file, text, 0);
  const { documents, end } = readJsonValues(text);
  const rest = text.slice(end);
  if (rest.trim() === '') return { documents, faults: [] };
  const line = lineAt(text, end);
  // After two JSON values, the decoder no longer tries YAML.
  if (documents.length > 1) return { documents, faults: [{ file, kind: 'syntax', line: line + 1, words: 'invalid JSON' }] };
  const more = splitYaml(file, rest, line);
  return { documents: [...documents, ...more.documents], faults: more.faults };
}

function splitYaml(file: string, text: string, firstLine: number): SplitText {
  const documents: DocumentText[] = [];
  const faults: ManifestFault[] = [];
  const lines = text.split('\n').map((each) => each.replace(/\r$/, ''));
  let start = 0;
  const close = (end: number): void => {
    const chunk = lines.slice(start, end);
    if (chunk.some((each) => each.trim() !== '')) documents.push({ text: `${chunk.join('\n')}\n`, line: firstLine + start });
  };
  for (const [at, each] of lines.entries()) {
    if (!each.startsWith('---')) continue;
    close(at);
    start = at + 1;
    const after = each.slice(3).trim();
    if (after === '' || after.startsWith('#')) continue;
    faults.push({ file, kind: 'syntax', line: firstLine + at + 1, words: 'invalid document separator' });
  }
  close(lines.length);
  return { documents, faults };
}

/** Reads JSON objects from the start of a text, as far as they are valid. */
function readJsonValues(text: string): { readonly documents: readonly DocumentText[]; readonly end: number } {
  const documents: DocumentText[] = [];
  let [end, line] = [0, 0];
  for (;;) {
    const start = skipSpace(text, end);
    const close = endOfObject(text, start);
    const part = text.slice(start, close);
    const json = close === undefined ? undefined : parseJson(part);
    if (json === undefined) return { documents, end };
    line += lineAt(text.slice(end, start), start - end);
    documents.push({ text: part, line, json });
    line += lineAt(part, part.length);
    end = start + part.length;
  }
}

const skipSpace = (text: string, at: number): number => {
  const space = /\s*/y;
  space.lastIndex = at;
  return at + (space.exec(text)?.[0].length ?? 0);
};

/** The index after the object that starts at `start`. Undefined if there is none, or no end. */
function endOfObject(text: string, start: number): number | undefined {
  if (text[start] !== '{') return undefined;
  const token = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}]/gs;
  token.lastIndex = start;
  let depth = 0;
  for (let found = token.exec(text); found; found = token.exec(text)) {
    depth += found[0] === '{' ? 1 : found[0] === '}' ? -1 : 0;
    if (depth === 0) return token.lastIndex;
  }
  return undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The number of line ends before an index. */
function lineAt(text: string, end: number): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at >= 0 && at < end; at = text.indexOf('\n', at + 1)) count++;
  return count;
}
