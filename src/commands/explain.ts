import { nearest } from '../config/nearest.ts';
import { type Code, catalog, matchesCode } from '../diagnosis/catalog.ts';
import { Exit, type ExitCode, UsageError } from '../errors.ts';
import { codeList, codeText } from '../report/explain.ts';
import { topicList, topicNames, topicText } from '../report/topics.ts';
import type { Terminal } from './terminal.ts';

const codes = Object.keys(catalog) as Code[];
/** Longer lines are hard to read. */
const maxColumns = 100;

/** `apisvc explain`: explains one code or topic, or lists a family of codes, or all. */
export async function explain(_: unknown, [given]: readonly string[], terminal: Terminal): Promise<ExitCode> {
  await terminal.result(explanation(given, terminal));
  return Exit.ok;
}

function explanation(given: string | undefined, { outColors, columns }: Terminal): string {
  if (given === undefined) return codeList(codes, outColors) + topicList(outColors);
  const topic = topicNames.find((name) => name === given);
  if (topic) return topicText(topic, outColors, Math.min(columns, maxColumns));
  const found = codes.filter((code) => matchesCode(code, [given, `${given.replace(/\/\*?$/, '')}/*`]));
  const [code] = found;
  if (code === undefined) throw unknownCode(given);
  return code === given ? codeText(code, outColors) : codeList(found, outColors);
}

function unknownCode(given: string): UsageError {
  const known = [...codes, ...topicNames];
  const meant = nearest(given, known) ?? known.find((name) => name.includes(given));
  return new UsageError(`unknown finding or topic "${given}"${meant ? `; did you mean ${meant}?` : ''}`, {
    fix: meant ? `apisvc explain ${meant}` : 'Run apisvc explain to list all findings and topics.',
  });
}
