import { nearest } from '../config/nearest.ts';
import { Exit, type ExitCode, UsageError } from '../errors.ts';
import { codeList, codeText } from '../report/explain.ts';
import { type Code, catalog, matchesCode } from '../verify/catalog.ts';
import type { Terminal } from './terminal.ts';

const codes = Object.keys(catalog) as Code[];

/** `apisvc explain`: the words of the catalog for one code, or a list of a family or of all. */
export async function explain(_: unknown, [given]: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const found = given === undefined ? codes : codes.filter((code) => matchesCode(code, [given, `${given.replace(/\/\*?$/, '')}/*`]));
  const [code] = found;
  if (code === undefined) throw unknownCode(given ?? '');
  await terminal.result(code === given ? codeText(code, terminal.outColors) : codeList(found, terminal.outColors));
  return Exit.ok;
}

function unknownCode(given: string): UsageError {
  const meant = nearest(given, codes) ?? codes.find((code) => code.includes(given));
  return new UsageError(`there is no finding "${given}"${meant ? `; did you mean ${meant}?` : ''}`, {
    fix: meant ? `apisvc explain ${meant}` : 'apisvc explain lists all codes.',
  });
}
