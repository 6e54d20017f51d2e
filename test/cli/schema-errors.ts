import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { root } from './apisvc.ts';

/** Validates JSON with a published schema. */
export function schemaErrors(name: string, json: string): unknown[] {
  const ajv = new Ajv2020({ strict: false });
  addFormats.default(ajv);
  const validate = ajv.compile(JSON.parse(readFileSync(join(root, 'schema', `${name}.schema.json`), 'utf8')));
  validate(JSON.parse(json));
  return validate.errors ?? [];
}
