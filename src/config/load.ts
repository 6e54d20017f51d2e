import { type Document, isMap, isScalar, LineCounter, parseDocument } from 'yaml';
import { UsageError } from '../errors.ts';
import { counted } from './counted.ts';
import { type Fault, faultsOf } from './faults.ts';
import { pathText } from './path-text.ts';
import { type Registration, registrationSchema } from './schema.ts';
import { structuralFaults } from './syntax.ts';

/** One thing wrong with apisvc.yaml. Lines and columns count from 1. */
export interface Problem {
  readonly line: number;
  readonly column: number;
  /** `spec.apis[0].group`; empty for the file as a whole. */
  readonly path: string;
  readonly message: string;
}

const maxBytes = 1024 * 1024;
const maxShown = 20;

const problemText = (file: string, { line, column, path, message }: Problem): string =>
  `${file}:${line}:${column}: ${path === '' ? '' : `${path}: `}${message}`;

/** An invalid apisvc.yaml. `message` has one line for each problem, in the order of the file. */
export class ConfigurationError extends UsageError {
  constructor(
    file: string,
    readonly problems: readonly Problem[],
  ) {
    const lines = problems.slice(0, maxShown).map((problem) => problemText(file, problem));
    const more = problems.length - lines.length;
    super([...lines, ...(more > 0 ? [`${file}: and ${counted(more, 'more problem')}`] : [])].join('\n'), {
      fix: 'Correct the file. .apisvc/registration.schema.json describes every key.',
    });
  }
}

const wholeFile = (message: string): Fault[] => [{ path: [], offset: 0, message }];

/** What is wrong with the file as a whole, before its keys are checked. */
function documentFaults(document: Document.Parsed): Fault[] {
  const faults = structuralFaults(document);
  if (faults.length > 0) return faults;
  const { contents } = document;
  if (contents === null || (isScalar(contents) && contents.value === null))
    return wholeFile('the file is empty; it must contain a Registration');
  return isMap(contents) ? [] : wholeFile('the file must be a mapping with the keys apiVersion, kind, metadata and spec');
}

/** The document as JSON, or the fault of aliases that would expand without bound. */
function plainJson(document: Document.Parsed): { value: unknown } | { faults: Fault[] } {
  try {
    return { value: document.toJS() };
  } catch (error) {
    // `yaml` throws it when aliases of aliases exceed its maxAliasCount.
    if (error instanceof ReferenceError) return { faults: wholeFile('the YAML aliases in the file expand to too much data') };
    throw error;
  }
}

/**
 * Drops faults that follow from others. In a file of another kind, only the kind counts. A mapping
 * with an unknown key, most likely a misspelled one, is not reported for a missing key as well.
 */
function causes(faults: readonly Fault[], document: Document.Parsed): readonly Fault[] {
  const wrongKind = faults.filter(({ path: [first] }) => first === 'apiVersion' || first === 'kind');
  if (wrongKind.length > 0 && document.has('apiVersion') && document.has('kind')) return wrongKind;
  const misspelled = new Set(faults.filter(({ unknownKey }) => unknownKey).map(({ path }) => pathText(path)));
  return faults.filter(({ unknownKey, path }) => unknownKey || !misspelled.has(pathText(path)));
}

function check(document: Document.Parsed): { registration: Registration } | { faults: readonly Fault[] } {
  const faults = documentFaults(document);
  if (faults.length > 0) return { faults };
  const json = plainJson(document);
  if ('faults' in json) return json;
  const { data, error } = registrationSchema.safeParse(json.value);
  if (data) return { registration: data };
  const found = error.issues.flatMap((issue) => faultsOf(document, issue));
  return { faults: causes(found, document) };
}

/**
 * Reads the text of an apisvc.yaml and fills in every default.
 * @param file name of the file in messages
 * @throws ConfigurationError with every problem: line, column, value, and what was probably meant
 */
export function parseRegistration(text: string, file: string): Registration {
  if (Buffer.byteLength(text) > maxBytes) {
    throw new ConfigurationError(file, [{ line: 1, column: 1, path: '', message: 'the file is larger than 1 MiB' }]);
  }
  const lineCounter = new LineCounter();
  const result = check(parseDocument(text, { lineCounter, prettyErrors: false }));
  if ('registration' in result) return result.registration;
  const problems = result.faults.map(({ path, offset, message }) => {
    const { line, col } = lineCounter.linePos(offset);
    return { line, column: col, path: pathText(path), message };
  });
  throw new ConfigurationError(
    file,
    problems.sort((a, b) => a.line - b.line || a.column - b.column),
  );
}
