import type { ChalkInstance } from 'chalk';
import type { Severity } from '../diagnosis/catalog/entry.ts';
import { type Code, generalEntry, linkOf } from '../diagnosis/catalog.ts';
import { fixParts } from '../diagnosis/fix.ts';

/** One line for each code: code, severity, title. */
export function codeList(codes: readonly Code[], colors: ChalkInstance): string {
  const width = Math.max(...codes.map(({ length }) => length));
  return codes
    .map((code) => {
      const { severity, title } = generalEntry(code);
      return `${colors.bold(code.padEnd(width))}  ${paint(severity, colors)}  ${title}\n`;
    })
    .join('');
}

/** The whole catalog entry of a code. */
export function codeText(code: Code, colors: ChalkInstance): string {
  const { severity, title, cause, fix, explainedBy = [] } = generalEntry(code);
  const row = (label: string, text: string): string => `  ${colors.dim(label.padEnd(13))} ${text}\n`;
  return [
    `${colors.bold(code)} (${paint(severity, colors).trimEnd()}): ${title}\n\n`,
    row('cause:', cause),
    ...fixParts(fix).map(({ kind, text }, index) => row(index === 0 ? 'fix:' : '', kind === 'command' ? colors.cyan(text) : text)),
    ...(explainedBy.length > 0 ? [row('explained by:', explainedBy.join(', '))] : []),
    row('see:', linkOf(code)),
  ].join('');
}

const paint = (severity: Severity, { red, yellow }: ChalkInstance): string => (severity === 'error' ? red('error  ') : yellow('warning'));
