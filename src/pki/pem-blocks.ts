/** What stands between one `-----BEGIN` and its `-----END`. */
export type PemBlock = {
  /** Of the BEGIN, counted from 1. */
  readonly line: number;
  /** The words after BEGIN. */
  readonly label: string;
  /** RFC 1421 headers, such as `Proc-Type: 4,ENCRYPTED`. */
  readonly headers: readonly string[];
} & (
  | { readonly der: Buffer }
  /** Why Go's reader passes over the block. */
  | { readonly der?: undefined; readonly fault: string }
);

interface Opening {
  readonly line: number;
  readonly label: string;
  readonly fault: string | undefined;
}

const begin = '-----BEGIN ';
const end = '-----END ';
const dashes = '-----';

/**
 * Finds every PEM block, in linear time, whatever is around them. A block is sound when Go's encoding/pem finds it, because that is
 * what reads a caBundle and a tls.crt; blocks that Go passes over in silence are given with the reason.
 */
export function pemBlocks(text: string): PemBlock[] {
  const blocks: PemBlock[] = [];
  let opening: Opening | undefined;
  let body: string[] = [];
  const close = (ending?: string): void => {
    if (opening) blocks.push(blockOf(opening, body, ending));
    opening = undefined;
    body = [];
  };
  for (const [index, whole] of text.split('\n').entries()) {
    const line = withoutTrailingBlanks(whole);
    if (line.includes(begin)) {
      close();
      opening = openingOf(line, index + 1);
    } else if (opening && line.trimStart().startsWith(end)) close(line);
    else if (opening) body.push(line);
  }
  close();
  return blocks;
}

/** The DER of every sound certificate, in the order of appearance. */
export const certificateBlocks = (text: string): Buffer[] =>
  pemBlocks(text).flatMap(({ label, headers, der }) => (label === 'CERTIFICATE' && headers.length === 0 && der ? [der] : []));

/** Cuts what Go cuts at the end of a line: one carriage return, then spaces and tabs. */
function withoutTrailingBlanks(line: string): string {
  let length = line.endsWith('\r') ? line.length - 1 : line.length;
  while (length > 0 && (line[length - 1] === ' ' || line[length - 1] === '\t')) length -= 1;
  return line.slice(0, length);
}

function openingOf(line: string, number: number): Opening {
  const start = line.indexOf(begin);
  const labelStart = start + begin.length;
  const labelEnd = line.indexOf(dashes, labelStart);
  const label = labelEnd < 0 ? '' : line.slice(labelStart, labelEnd);
  return { line: number, label: label.length > 64 ? '' : label.replace(/[^ -~]/g, '?'), fault: openingFault(line, start, labelEnd) };
}

function openingFault(line: string, start: number, labelEnd: number): string | undefined {
  const before = line.slice(0, start);
  if (labelEnd < 0) return 'its -----BEGIN line does not end with -----';
  if (labelEnd + dashes.length < line.length) return 'its line breaks are lost: text follows on the -----BEGIN line';
  if (before === '\ufeff') return 'a byte order mark stands before -----BEGIN';
  if (before.trim() === '' && before !== '') return 'its -----BEGIN line is indented';
  return before === '' ? undefined : 'other text stands before -----BEGIN on the same line';
}

function blockOf({ line, label, fault }: Opening, body: readonly string[], ending: string | undefined): PemBlock {
  // Every line with a colon right after BEGIN is a header, as in Go's encoding/pem; base64 has no colon.
  const firstContent = body.findIndex((text) => !text.includes(':'));
  const headers = body.slice(0, firstContent < 0 ? body.length : firstContent);
  const content = body
    .slice(headers.length)
    .join('')
    .replace(/[ \t\r]/g, '');
  const found = fault ?? endingFault(label, ending) ?? contentFault(content);
  return found === undefined ? { line, label, headers, der: Buffer.from(content, 'base64') } : { line, label, headers, fault: found };
}

function endingFault(label: string, ending: string | undefined): string | undefined {
  if (ending === undefined) return `its ${end}${label}${dashes} line is missing`;
  if (!ending.startsWith(end)) return 'its -----END line is indented';
  return ending === `${end}${label}${dashes}` ? undefined : `its last line is not ${end}${label}${dashes}`;
}

function contentFault(content: string): string | undefined {
  if (content === '') return 'it is empty';
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(content)) return 'it holds characters that are not base64';
  return content.length % 4 === 0 ? undefined : 'its base64 is cut short';
}
