// Generates schema/*.schema.json from src/config/schema.ts, src/snapshot/schema.ts and
// src/diagnosis/schema.ts.
import { mkdir, writeFile } from 'node:fs/promises';
import { loadTypescript } from './load-typescript.mjs';

const folder = new URL('../schema/', import.meta.url);
const { jsonSchemaText } = await loadTypescript('src/config/json-schema.ts');
const { jsonSchemaTexts } = await loadTypescript('src/diagnosis/json-schema.ts');

await mkdir(folder, { recursive: true });
for (const [name, text] of [['registration', jsonSchemaText()], ...jsonSchemaTexts()]) {
  await writeFile(new URL(`${name}.schema.json`, folder), text);
}
