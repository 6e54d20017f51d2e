import { jsonSchemaText } from '../config/json-schema.ts';
import { escapeTags } from './markdown.ts';
import { wrap } from './wrap.ts';

const introduction = `# Configuration

\`apisvc.yaml\` describes one server and its registration. \`apisvc init\` creates the file, with
comments. Editors that support JSON Schema complete its keys. For an unknown key or contradictory
values, apisvc reports an error with the line and the column.

If a description names a Kubernetes type, such as (Kubernetes Container), the value has the same
fields as in the Kubernetes API. apisvc does not change the value, and kube-apiserver validates it.

This page is generated from the JSON Schema of \`apisvc.yaml\`.
`;

/** What this page reads of a JSON Schema (draft 7). */
interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly additionalProperties?: boolean | Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
}

/** One mapping with fixed keys, as a table. */
interface Section {
  readonly path: string;
  readonly schema: Schema;
}

/** docs/configuration.md, generated from the schema of apisvc.yaml by `npm run docs`. */
export function configurationPage(): string {
  const schema = JSON.parse(jsonSchemaText()) as Schema;
  return [introduction, ...[...sections({ path: '', schema })].map(sectionText)].join('\n');
}

/** A mapping and every mapping below it, outermost first. */
function* sections({ path, schema }: Section): Generator<Section> {
  yield { path, schema };
  for (const [key, value] of Object.entries(schema.properties ?? {})) {
    const inner = mappingIn({ path: path === '' ? key : `${path}.${key}`, schema: value });
    if (inner) yield* sections(inner);
  }
  // The forms of a mapping are described together, so that only what is below them is left.
  for (const form of schema.oneOf ?? []) yield* [...sections({ path, schema: form })].slice(1);
}

/**
 * The mapping with fixed keys in a value, through lists. Those that take any other key are
 * described by their parent.
 */
function mappingIn({ path, schema }: Section): Section | undefined {
  if (schema.items) return mappingIn({ path: `${path}[]`, schema: schema.items });
  return schema.additionalProperties === false || schema.oneOf ? { path, schema } : undefined;
}

const titleOf = (path: string): string => path || 'apisvc.yaml';
const anchorOf = (path: string): string =>
  titleOf(path)
    .toLowerCase()
    .replace(/[^\w-]/g, '');

function sectionText({ path, schema }: Section): string {
  return [
    `## ${titleOf(path)}`,
    '',
    ...(schema.description ? [wrap(escapeTags(schema.description), 100), ''] : []),
    ...(schema.oneOf ?? [schema]).flatMap((form) => [...table(path, form), '']),
  ].join('\n');
}

const table = (path: string, form: Schema): string[] => [
  '| Key | Type | Default | Meaning |',
  '| --- | --- | --- | --- |',
  ...Object.entries(form.properties ?? {}).map(([key, value]) => {
    const inner = mappingIn({ path: path === '' ? key : `${path}.${key}`, schema: value });
    const link = inner ? ` See [${inner.path}](#${anchorOf(inner.path)}).` : '';
    const meaning = `${escapeTags(value.description ?? '')}${link}`;
    const cells = [code(key), typeText(value), defaultText(value, (form.required ?? []).includes(key)), meaning];
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  }),
];

const code = (value: unknown): string => `\`${String(value)}\``;

function typeText(schema: Schema): string {
  if (schema.const !== undefined) return code(schema.const);
  if (schema.enum) return schema.enum.map(code).join(', ');
  if (schema.anyOf) return schema.anyOf.map(typeText).join(' or ');
  if (schema.oneOf || schema.type === 'object') return objectText(schema);
  if (schema.items) return `list of ${typeText(schema.items)}`;
  return schema.type === 'integer' ? integerText(schema) : (schema.type ?? 'any');
}

const objectText = ({ additionalProperties }: Schema): string =>
  typeof additionalProperties === 'object' && additionalProperties.type ? `mapping of ${additionalProperties.type}` : 'mapping';

/** Numbers beyond what a safe integer is are no limits of ours. */
function integerText({ minimum, maximum }: Schema): string {
  const upper = maximum === undefined || maximum >= Number.MAX_SAFE_INTEGER ? undefined : maximum;
  if (upper !== undefined) return `integer, ${minimum} to ${upper}`;
  return minimum === undefined || minimum <= Number.MIN_SAFE_INTEGER ? 'integer' : `integer, at least ${minimum}`;
}

function defaultText(schema: Schema, required: boolean): string {
  if (required) return 'required';
  if (schema.default === undefined || (schema.type === 'object' && schema.properties)) return '';
  return code(typeof schema.default === 'string' ? schema.default : flow(schema.default));
}

/** JSON as flow YAML, which apisvc.yaml takes: `{type: self-signed}`. */
const flow = (value: unknown): string =>
  JSON.stringify(value)
    .replace(/"([\w-]+)":/g, '$1: ')
    .replace(/"([\w-]+)"/g, '$1');
