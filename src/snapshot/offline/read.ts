import { type Document, LineCounter, parseAllDocuments } from 'yaml';
import { yamlReason } from '../../config/yaml.ts';
import type { KubeObject, ManifestFault, ManifestText } from '../../manifests/types.ts';
import type { Json } from '../views.ts';
import { type DocumentText, splitDocuments } from './split.ts';
import { isPlaceholder, isTemplate, isYttTemplate, lineOfAction, quotePlaceholders } from './template.ts';
import { documentValue, nodeAt, ValueError, type ValuePath } from './values.ts';

/** A place in a file, from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
}

/** An object of a manifest, which may have no name. */
export interface ReadObject {
  readonly object: KubeObject;
  readonly file: string;
  /** The object as it is in the file, if it has no name, and `object` got the one it must have. */
  readonly given?: KubeObject;
  /** What the file has instead of the kind and the API group that were meant. */
  readonly written?: Pick<KubeObject, 'apiVersion' | 'kind'>;
  /** The place of a field, or of the object that would contain it. */
  readonly placeOf: (path: ValuePath) => Place;
  /** The keys that the manifest sets twice. */
  readonly duplicates: readonly { readonly path: ValuePath; readonly line: number }[];
}

/** The name of a file in messages: kubectl calls standard input STDIN. */
export const fileText = (file: string): string => (file === '-' ? 'STDIN' : file);

/** `deploy/api.yaml:12`: the place of a field. */
export function placeText({ placeOf }: ReadObject, field: ValuePath): string {
  const { file, line } = placeOf(field);
  return `${fileText(file)}:${line}`;
}

export interface ReadManifests {
  readonly objects: readonly ReadObject[];
  readonly faults: readonly ManifestFault[];
}

/**
 * Reads manifests as kubectl does. A document that cannot be read is a fault, and does not hide the
 * others.
 */
export function readManifestTexts(texts: readonly ManifestText[]): ReadManifests {
  const objects: ReadObject[] = [];
  const faults: ManifestFault[] = [];
  for (const manifest of texts) {
    const { documents, faults: found } = readDocuments(manifest);
    const { file, text } = manifest;
    // The faults of a template have one cause, and the documents between them mean little.
    const ytt = isYttTemplate(text);
    if (ytt || (found.length > 0 && isTemplate(text))) {
      const words = `the file is a template (${ytt ? 'ytt' : 'Helm or Go'}) that was not rendered`;
      faults.push({ file, kind: 'template', line: lineOfAction(text), words });
      continue;
    }
    const unfilled: ManifestFault[] = [];
    for (const document of documents) {
      const inDocument = objectsIn(document.value, document);
      if (document.unfilled && !inDocument.some(lacksBundle)) unfilled.push(document.unfilled);
      else objects.push(...inDocument);
    }
    faults.push(...found, ...unfilled.slice(0, 1));
  }
  return { objects, faults };
}

/** An APIService whose caBundle is a placeholder has a finding of its own. */
const lacksBundle = ({ object }: ReadObject): boolean => {
  const { kind, spec }: KubeObject & Json = object;
  return kind === 'APIService' && typeof spec?.caBundle === 'string' && isPlaceholder(spec.caBundle);
};

/** A document that was read. */
interface ReadDocument {
  readonly file: string;
  readonly value: unknown;
  /** The line of the file where the document starts, from 0. */
  readonly line: number;
  readonly duplicates: ReadObject['duplicates'];
  /** JSON is parsed again for positions, only when one is needed. */
  readonly parsed: () => Parsed;
  /** The fault of the text, where it was read only after its placeholders were quoted. */
  readonly unfilled?: ManifestFault;
}

/** The documents of a file as kubectl reads them, and what it cannot read. */
export function readDocuments({ file, text }: ManifestText): {
  readonly documents: readonly ReadDocument[];
  readonly faults: readonly ManifestFault[];
} {
  const split = splitDocuments(file, text);
  const read = split.documents.map((document) => readDocument(file, document));
  return {
    documents: read.flatMap((each) => ('parsed' in each ? [each] : [])),
    faults: [...split.faults, ...read.flatMap((each) => ('words' in each ? [each] : []))],
  };
}

function readDocument(file: string, document: DocumentText): ReadDocument | ManifestFault {
  const { json, line, text } = document;
  if (json !== undefined) return { file, value: json, line, duplicates: [], parsed: lazy(() => parseYaml(text)) };
  const read = readYaml(file, document);
  if (!('words' in read) || !text.includes('{{')) return read;
  const filled = readYaml(file, { ...document, text: quotePlaceholders(text) });
  if ('words' in filled) return read;
  return { ...filled, unfilled: { ...read, kind: 'template', words: 'the file contains a placeholder that was not filled in' } };
}

interface Parsed {
  /** Undefined for a text without a document. */
  readonly document: Document.Parsed | undefined;
  readonly lines: LineCounter;
}

function parseYaml(text: string): Parsed {
  const lines = new LineCounter();
  const [document] = parseAllDocuments(text, {
    lineCounter: lines,
    schema: 'failsafe',
    version: '1.1',
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: 'silent',
  });
  // go.yaml.in/yaml/v2 reads only the first document of its input.
  return { document: document as Document.Parsed | undefined, lines };
}

function readYaml(file: string, { text, line }: DocumentText): ReadDocument | ManifestFault {
  const parsed = parseYaml(text);
  const { document, lines } = parsed;
  const faultAt = (offset: number, words: string): ManifestFault => {
    // What is missing at the end is missing after the last character.
    const at = lines.linePos(Math.min(offset, Math.max(text.trimEnd().length - 1, 0)));
    return { file, kind: 'syntax', line: line + at.line, column: at.col, words };
  };
  // go.yaml.in/yaml/v2, readerc.go.
  const control = text.search(/[^\t\n\r -~\u0085\u00a0-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u);
  if (control >= 0) return faultAt(control, 'control characters are not allowed');
  // kubectl splits the text at the line that ends the directives, and then cannot read them.
  const directive = text.search(/^%YAML\b/m);
  if (directive >= 0) return faultAt(directive, 'kubectl cannot read a YAML directive');
  if (!document) return { file, value: null, line, duplicates: [], parsed: () => parsed };
  const [error] = document.errors;
  // The library runs out of stack.
  if (error) return faultAt(error.pos[0], /call stack/.test(error.message) ? 'it is nested too deeply' : yamlReason(error));
  try {
    const { value, duplicates } = documentValue(document);
    const placed = duplicates.map(({ path, offset }) => ({ path, line: line + lines.linePos(offset).line }));
    return { file, value, line, duplicates: placed, parsed: () => parsed };
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    return faultAt(error.offset, error.message);
  }
}

/** The objects of a document, with the items of lists. */
function objectsIn(value: unknown, origin: ReadDocument, path: ValuePath = []): ReadObject[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
  const { items, kind } = value as { readonly items?: unknown; readonly kind?: unknown };
  if (Array.isArray(items)) {
    const itemKind = typeof kind === 'string' && kind !== 'List' ? kind.replace(/List$/, '') : undefined;
    return items.flatMap((item, index) => objectsIn(inherited(item, value, itemKind), origin, [...path, 'items', index]));
  }
  if (!isObject(value)) return [];
  const duplicates = origin.duplicates.filter((each) => path.every((step, index) => each.path[index] === step));
  return [
    {
      object: value,
      file: origin.file,
      placeOf: (field) => placeIn(origin, [...path, ...field]),
      duplicates: duplicates.map((each) => ({ ...each, path: each.path.slice(path.length) })),
    },
  ];
}

/** Items of a typed list may lack kind and apiVersion (apimachinery unstructured/helpers.go). */
function inherited(item: unknown, list: object, kind: string | undefined): unknown {
  if (kind === undefined || typeof item !== 'object' || item === null || 'kind' in item) return item;
  return { apiVersion: (list as { readonly apiVersion?: unknown }).apiVersion, kind, ...item };
}

function isObject(value: object): value is KubeObject {
  const { apiVersion, kind, metadata } = value as Record<string, unknown>;
  if (kind === 'APIService') return true;
  return typeof apiVersion === 'string' && typeof kind === 'string' && typeof metadata === 'object' && metadata !== null;
}

function placeIn({ file, line, parsed }: ReadDocument, path: ValuePath): Place {
  const { document, lines } = parsed();
  const offset = document ? nodeAt(document, path) : 0;
  return { file, line: line + lines.linePos(offset).line };
}

function lazy<T extends object>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
