// Writes schema/registration.schema.json out of the one definition in src/config/schema.ts.
import { mkdir, writeFile } from 'node:fs/promises';
import { loadTypescript } from './load-typescript.mjs';

const target = new URL('../schema/registration.schema.json', import.meta.url);
const { jsonSchemaText } = await loadTypescript('src/config/json-schema.ts');

await mkdir(new URL('.', target), { recursive: true });
await writeFile(target, jsonSchemaText());
