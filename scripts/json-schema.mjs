// Writes schema/registration.schema.json out of the one definition in src/config/schema.ts.
import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const source = new URL('../src/config/json-schema.ts', import.meta.url);
const target = new URL('../schema/registration.schema.json', import.meta.url);

const options = { entryPoints: [fileURLToPath(source)], bundle: true, format: 'esm', platform: 'node', write: false };
const { outputFiles } = await build(options);
const { jsonSchemaText } = await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].text).toString('base64')}`);

await mkdir(new URL('.', target), { recursive: true });
await writeFile(target, jsonSchemaText());
