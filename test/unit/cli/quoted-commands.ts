/** Finds the commands of apisvc that messages, fixes and pages quote. */

/** A command as it stands in a text, and where. */
export interface Quoted {
  readonly where: string;
  /** What follows `apisvc `. */
  readonly command: string;
}

/** The literals and templates of a source file, without its comments and its expressions. */
function withoutCode(source: string): string {
  const uncommented = source.replace(/^\s*(?:\/\*|\*|\/\/).*$/gm, '');
  let text = uncommented;
  // Innermost expressions first: templates are nested.
  for (let before = ''; before !== text; ) {
    before = text;
    text = text.replace(/(\w?)\$\{([^{}]*)\}/g, (_, previous: string, expression: string) => {
      const [, flag] = /['`]( --[a-z-]+)/.exec(expression) ?? [];
      // After a word it is optional, such as the directory of a project.
      return `${previous}${flag ?? (previous ? '' : 'X')}`;
    });
  }
  return text;
}

/** The commands in the texts of a source file: after a colon, in backticks, or alone. */
export const quotedInSource = (path: string, source: string): Quoted[] =>
  withoutCode(source)
    .split('\n')
    .flatMap((line) => [...line.matchAll(/(?<=['"`(]|: |&& |\| |\\n)apisvc ([a-z][^'"`\\]*)/g)].map(([, rest = '']) => rest))
    .filter((rest) => !sentence.test(rest))
    .map((rest) => ({ where: path, command: endOf(rest) }));

/** What apisvc does, not what it is told. */
const sentence = /^(?:(?:creates|deploys|does|sets|writes) |secure did |demo$)/;

/** The command alone: shells, sentences and comments go on after it. */
const endOf = (text: string): string => text.replace(/(?: [|>#]| \d>|&&|;|\)|\.(?= |$)|,(?= |$)|:(?= |$)).*$/, '').trim();

/** The commands in the code of a page: in its blocks and in its backticks. */
export function quotedInPage(path: string, page: string): Quoted[] {
  const blocks = [...page.matchAll(/^```[^\n]*\n([\s\S]*?)^```$/gm)].flatMap(([, body = '']) => commandLines(body));
  const spans = [...page.replace(/^```[\s\S]*?^```$/gm, '').matchAll(/`([^`]*)`/g)].map(([, code = '']) => code.replace(/\n/g, ' '));
  return [...blocks, ...spans].flatMap((line) =>
    [...line.matchAll(/(?<=^|\$ |&& |\| |\$\(|' |; |: |^\s+)(?:kubectl )?apisvc ([a-z].*)/g)].map(([, rest = '']) => ({
      where: path,
      command: endOf(rest),
    })),
  );
}

/** Of a transcript, output may quote commands too. A backslash joins lines. */
const commandLines = (body: string): string[] => body.replace(/\\\n\s*/g, ' ').split('\n');

/** The words of a command, as a POSIX shell splits it. Of `a|b`, one choice is enough. */
export const wordsOf = (command: string): string[] =>
  [...command.matchAll(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g)].map(
    ([word]) =>
      word
        .replace(/['"]/g, '')
        .replace(/^\[(.*)\]$/, '$1')
        .split('|')[0] ?? '',
  );
