/** The content between a `-----BEGIN` and its `-----END`. */
export type PemBlock = {
  /** Line of the BEGIN, counted from 1. */
  readonly line: number;
  /** The words after BEGIN. */
  readonly label: string;
  /** RFC 1421 headers, such as `Proc-Type: 4,ENCRYPTED`. */
  readonly headers: readonly string[];
} & (
  | { readonly der: Buffer }
  /** Why Go's reader ignores the block. */
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
 * Finds every PEM block in any text, in linear time. A block is valid when Go's encoding/pem finds
 * it, because Kubernetes reads caBundle and tls.crt with it. A block that Go silently ignores comes
 * with the reason.
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

/** The DER of every valid certificate block, in order. */
export const certificateBlocks = (text: string): Buffer[] =>
  pemBlocks(text).flatMap(({ label, headers, der }) => (label === 'CERTIFICATE' && headers.length === 0 && der ? [der] : []));

/** Removes from the end of a line what Go removes: one carriage return, then spaces and tabs. */
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
  if (labelEnd + dashes.length < line.length) return 'its line breaks are missing: text follows on the -----BEGIN line';
  if (before === '\ufeff') return 'a byte order mark precedes -----BEGIN';
  if (before.trim() === '' && before !== '') return 'its -----BEGIN line is indented';
  return before === '' ? undefined : 'other text precedes -----BEGIN on the same line';
}

function blockOf({ line, label, fault }: Opening, body: readonly string[], ending: string | undefined): PemBlock {
  // As in Go's encoding/pem, the lines with a colon after BEGIN are headers. Base64 has no colon.
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
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(content)) return 'it contains characters that are not base64';
  return content.length % 4 === 0 ? undefined : 'its base64 is truncated';
}
