import { X509Certificate } from 'node:crypto';
import { fromBase64, inspect, isUtf16 } from './inspect.ts';

/**
 * A caBundle that may be kept and passed on: of what is in it only certificates stay as they are, with the lines that say what the rest is. All other letters and digits
 * become A (? beside such a line's words), since a private key can stand anywhere: in a block of its own, in one that lost its first line, in the text around. `inspect` finds the same things in it as
 * before, by kind and line. Takes any input, never throws.
 */
export function withoutKeys(bundle: Buffer): Buffer {
  // One character for each byte, and back.
  const text = bundle.toString('latin1');
  if (text.includes(begin)) return Buffer.from(blankText(text), 'latin1');
  if (isUtf16(text)) return Buffer.from(blankText(bundle.toString('utf16le')), 'utf16le');
  const inner = fromBase64(text);
  if (inner?.includes(begin)) return encodedAgain(text, inner, withoutKeys(inner));
  if (inner && certificateIn(inner)) return encodedAgain(text, inner, blankBehind(inner));
  return blankBehind(bundle);
}

const begin = '-----BEGIN ';

/** What did not change keeps its line ends. */
const encodedAgain = (text: string, inner: Buffer, kept: Buffer): Buffer =>
  Buffer.from(kept.equals(inner) ? text : kept.toString('base64'), 'latin1');

/** Bytes behind a DER certificate may be those of a key, and bytes that are none anything. */
function blankBehind(bytes: Buffer): Buffer {
  const certificate = certificateIn(bytes) ?? Buffer.alloc(0);
  return Buffer.concat([certificate, Buffer.alloc(bytes.length - certificate.length, '?')]);
}

function certificateIn(bytes: Buffer): Buffer | undefined {
  try {
    return bytes[0] === 0x30 ? new X509Certificate(bytes).raw : undefined;
  } catch {
    return undefined;
  }
}

/** Line by line: those of certificates as they are, of markers the markers, of headers their names, and nothing of all else. */
function blankText(text: string): string {
  const starts = new Set(inspect(text).items.flatMap(({ kind, line }) => (kind === 'certificate' ? [line] : [])));
  let inside = false;
  return text
    .split('\n')
    .map((line, index) => {
      inside = (inside && !line.includes(begin)) || starts.has(index + 1);
      const kept = inside ? line : blankLine(line);
      if (line.includes('-----END ')) inside = false;
      return kept;
    })
    .join('\n');
}

/** `-----BEGIN X-----`; of a line that lacks the last dashes only capitals, for what follows may be the key. Headers that say that a key is encrypted are no secret. */
const markers = /-----(?:BEGIN|END) (?:[A-Za-z0-9 ]{0,40}-----|[A-Z ]{0,40})|^(?:Proc-Type: 4,ENCRYPTED|DEK-Info: [A-Z0-9-]+)(?=[\s,]|$)/g;

function blankLine(line: string): string {
  let blanked = '';
  let end = 0;
  for (const { 0: marker, index } of line.matchAll(markers)) {
    blanked += blank(line.slice(end, index), '?') + marker;
    end = index + marker.length;
  }
  // Beside a marker a letter could become a part of it.
  return blanked + blank(line.slice(end), end === 0 ? 'A' : '?');
}

const blank = (text: string, by: 'A' | '?'): string => text.replace(/[A-Za-z0-9+/\u0080-\uffff]/g, by);
