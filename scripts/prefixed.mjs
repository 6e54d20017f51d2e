import { StringDecoder } from 'node:string_decoder';

/**
 * Output of programs that run at the same time, as docker compose shows it.
 *
 * @type {typeof import('./prefixed.d.mts').writePrefixed}
 */
export async function writePrefixed(stream, name, write) {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const chunk of stream) {
    const lines = (rest + decoder.write(chunk)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) write(`${name} | ${line}\n`);
  }
  rest += decoder.end();
  if (rest !== '') write(`${name} | ${rest}\n`);
}
