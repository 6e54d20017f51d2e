import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { jsonSchemaText } from '../../../src/config/json-schema.ts';
import { configurationPage } from '../../../src/report/configuration-page.ts';

const page = configurationPage();

test('docs/configuration.md is generated from the schema (npm run docs)', () => {
  expect(readFileSync('docs/configuration.md', 'utf8')).toBe(page);
});

interface Schema {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly [keyword: string]: unknown;
}

/** Every key of a JSON Schema with its path. */
function* keysOf(schema: unknown, path = ''): Generator<[path: string, schema: Schema]> {
  if (Array.isArray(schema)) for (const part of schema) yield* keysOf(part, path);
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) return;
  const { properties = {}, ...keywords } = schema as Schema;
  for (const [key, value] of Object.entries(properties)) {
    yield [`${path}.${key}`, value];
    yield* keysOf(value, `${path}.${key}`);
  }
  for (const keyword of ['items', 'anyOf', 'oneOf']) yield* keysOf(keywords[keyword], path);
}

const keys = [...keysOf(JSON.parse(jsonSchemaText()))];

test('every key of apisvc.yaml has a description: sentences that start with a capital letter and end with a period', () => {
  expect(keys.length).toBeGreaterThan(90);
  const sentences = /^(?:[A-Z][^\n]*|(?:true|false): [^\n]*|apisvc [^\n]*|appProtocol [^\n]*)\.$/;
  expect(keys.filter(([, { description }]) => !sentences.test(description ?? '')).map(([path]) => path)).toEqual([]);
});

test('every key is on the page', () => {
  const inProbe = /^\.spec\.server\.probes\.\w+\./;
  const missing = keys.filter(([path]) => !inProbe.test(path) && !page.includes(`| \`${path.split('.').at(-1)}\` |`));
  expect(missing).toEqual([]);
});

test('every link leads to a section', () => {
  const anchors = [...page.matchAll(/^## (.*)$/gm)].map(([, title = '']) => `#${title.toLowerCase().replace(/[^\w-]/g, '')}`);
  const links = [...page.matchAll(/\]\((#[^)]*)\)/g)].map(([, link = '']) => link);
  expect(links.length).toBeGreaterThan(10);
  expect(links.filter((link) => !anchors.includes(link))).toEqual([]);
  expect(new Set(anchors).size).toBe(anchors.length);
});

test('shows types, defaults and required keys', () => {
  for (const row of [
    '| `port` | integer, 1 to 65535 | `443` | Port of the Service, as in spec.service.port of the APIServices. |',
    '| `name` | string | required | Name of the Service. The serving certificate is valid for \\<name>.\\<namespace>.svc. |',
    '| `type` | `ca` | required | Your own CA. apisvc does not copy the private key of the CA. |',
    '| `caLifetime` | string | `3650d` | How long the CA is valid. |',
    '| `podLabels` | mapping of string |  | Additional labels of the pods. |',
  ]) {
    expect(page).toContain(`${row}\n`);
  }
});
