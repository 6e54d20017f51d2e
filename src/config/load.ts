import { type Document, isMap, isScalar, LineCounter, parseDocument } from 'yaml';
import { UsageError } from '../errors.ts';
import { type Fault, faultsOf } from './faults.ts';
import { pathText } from './keys.ts';
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

/** An apisvc.yaml that can't be used: `message` has one line for each of its problems, in the order of the file. */
export class ConfigurationError extends UsageError {
  constructor(
    file: string,
    readonly problems: readonly Problem[],
  ) {
    const lines = problems.slice(0, maxShown).map((problem) => problemText(file, problem));
    const more = problems.length - lines.length;
    super([...lines, ...(more > 0 ? [`${file}: and ${more} more`] : [])].join('\n'), {
      fix: 'Correct the file; .apisvc/registration.schema.json describes every key, and editors complete from it.',
    });
  }
}

const wholeFile = (message: string): Fault[] => [{ path: [], offset: 0, message }];

/** What is wrong with the file before its keys matter. */
function documentFaults(document: Document.Parsed): Fault[] {
  const faults = structuralFaults(document);
  if (faults.length > 0) return faults;
  const { contents } = document;
  if (contents === null || (isScalar(contents) && contents.value === null)) return wholeFile('is empty; it must describe a registration');
  return isMap(contents) ? [] : wholeFile('must be a mapping with the keys apiVersion, kind, metadata and spec');
}

/** Plain JSON, or the faults of aliases that would expand without bound. */
function plainJson(document: Document.Parsed): { value: unknown } | { faults: Fault[] } {
  try {
    return { value: document.toJS() };
  } catch (error) {
    // What `yaml` throws when aliases of aliases grow beyond its maxAliasCount.
    if (error instanceof ReferenceError) return { faults: wholeFile('its aliases expand to far more than a registration holds') };
    throw error;
  }
}

/**
 * Leaves out what follows from something else: when the file is of another kind, all that the schema says of its content; when a mapping
 * has an unknown key, most likely a misspelt one, what that mapping lacks.
 */
function causes(faults: readonly Fault[], document: Document.Parsed): readonly Fault[] {
  const wrongKind = faults.filter(({ path: [first] }) => first === 'apiVersion' || first === 'kind');
  if (wrongKind.length > 0 && document.has('apiVersion') && document.has('kind')) return wrongKind;
  const misspelt = new Set(faults.filter(({ unknownKey }) => unknownKey).map(({ path }) => pathText(path)));
  return faults.filter(({ unknownKey, path }) => unknownKey || !misspelt.has(pathText(path)));
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
 * @param file how messages name the file
 * @throws ConfigurationError with everything that is wrong, each problem with its line, column, value and what was probably meant
 */
export function parseRegistration(text: string, file: string): Registration {
  if (Buffer.byteLength(text) > maxBytes) {
    throw new ConfigurationError(file, [{ line: 1, column: 1, path: '', message: 'is larger than 1 MiB, far more than a registration' }]);
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
