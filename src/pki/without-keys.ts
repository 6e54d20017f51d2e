import { X509Certificate } from 'node:crypto';
import { fromBase64, inspect, isUtf16 } from './inspect.ts';

/**
 * A caBundle without private keys, which can be stored and shared. Certificates and PEM markers
 * stay. Every other letter and digit becomes A (? next to a marker), because a private key can be
 * anywhere: in a block, in a block without its first line, or in the text around. `inspect` finds
 * the same kinds of items in the same lines. It accepts any input and never throws.
 */
export function withoutKeys(bundle: Buffer): Buffer {
  // One character for each byte, which can be converted back.
  const text = bundle.toString('latin1');
  if (text.includes(begin)) return Buffer.from(blankText(text), 'latin1');
  if (isUtf16(text)) return Buffer.from(blankText(bundle.toString('utf16le')), 'utf16le');
  const inner = fromBase64(text);
  if (inner?.includes(begin)) return encodedAgain(text, inner, withoutKeys(inner));
  if (inner && certificateIn(inner)) return encodedAgain(text, inner, blankBehind(inner));
  return blankBehind(bundle);
}

const begin = '-----BEGIN ';

/** Unchanged text keeps its line ends. */
const encodedAgain = (text: string, inner: Buffer, kept: Buffer): Buffer =>
  Buffer.from(kept.equals(inner) ? text : kept.toString('base64'), 'latin1');

/** Bytes after a DER certificate may be a key, and so may any other bytes. */
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

/**
 * Keeps the lines of certificates, markers, and the headers of encrypted keys, and blanks
 * everything else.
 */
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

/**
 * `-----BEGIN X-----`. In a line without the last dashes, only capitals count, because a key may
 * follow. Headers that mark a key as encrypted are not secret.
 */
const markers = /-----(?:BEGIN|END) (?:[A-Za-z0-9 ]{0,40}-----|[A-Z ]{0,40})|^(?:Proc-Type: 4,ENCRYPTED|DEK-Info: [A-Z0-9-]+)(?=[\s,]|$)/g;

function blankLine(line: string): string {
  let blanked = '';
  let end = 0;
  for (const { 0: marker, index } of line.matchAll(markers)) {
    blanked += blank(line.slice(end, index), '?') + marker;
    end = index + marker.length;
  }
  // Next to a marker, a letter could become a part of it.
  return blanked + blank(line.slice(end), end === 0 ? 'A' : '?');
}

const blank = (text: string, by: 'A' | '?'): string => text.replace(/[A-Za-z0-9+/\u0080-\uffff]/g, by);
