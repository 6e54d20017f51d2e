import { inspect } from './inspect.ts';

/**
 * A caBundle that may be kept and passed on: of private keys only the lines around them are left, and whatever is neither PEM nor a certificate is blanked, since nobody knows
 * what it is. `inspect` says the same of it as before; certificates stay as they are. Takes any input, never throws.
 */
export function withoutKeys(bundle: Buffer): Buffer {
  // One character for each byte, and back.
  const text = bundle.toString('latin1');
  if (text.includes('-----BEGIN ')) return text.includes('KEY') ? Buffer.from(blankKeys(text), 'latin1') : bundle;
  if (text.includes('-\0-\0')) return Buffer.from(blankKeys(bundle.toString('utf16le')), 'utf16le');
  const packed = text.replace(/\s/g, '');
  const inner = /^[A-Za-z0-9+/]+={0,2}$/.test(packed) ? Buffer.from(packed, 'base64') : undefined;
  if (inner?.includes('-----BEGIN '))
    return text === packed && withoutKeys(inner).equals(inner) ? bundle : Buffer.from(withoutKeys(inner).toString('base64'));
  const isCertificate = inspect(bundle).items.some((item) => item.kind === 'broken' && item.label === 'CERTIFICATE');
  return isCertificate ? bundle : Buffer.alloc(bundle.length, '?');
}

/** From the first line of a key to its last, or to whatever comes next. */
const keyBlocks = /(-----BEGIN [^\n-]*KEY-{0,5})([^-]*(?:-(?!----)[^-]*)*)/g;

/** Every digit of a key becomes a zero, which is A in base64; headers, such as the algorithm of an encrypted key, are no secret. */
const blankKeys = (text: string): string =>
  text.replace(keyBlocks, (_, first: string, body: string) => first + body.replace(/^[^:\n]*$/gm, (line) => line.replace(/[^\s=]/g, 'A')));
