import { createPrivateKey } from 'node:crypto';

/** Finds a private key in output, in whatever form it was printed. */

/** How many characters in a row count as a trace. */
const length = 16;

/**
 * What a text has if it holds a private key: its PEM, base64 of its PEM, as in a Secret, or base64
 * of its DER, each also as a part of something larger that was encoded.
 * @param pem an EC key or an RSA key. Only its secret numbers count: a certificate has the rest
 */
export function keyTraces(pem: string): readonly string[] {
  const { d, p, q } = createPrivateKey(pem).export({ format: 'jwk' });
  const secrets = [d, p, q].flatMap((each) => (each === undefined ? [] : Buffer.from(each, 'base64url')));
  const lines = pem.split('\n').filter((line) => line !== '' && !line.startsWith('-----'));
  const forms = secrets.flatMap((secret) => [secret, ...partsOf(lines, secret)]).flatMap(encodings);
  return forms.flatMap(windows);
}

/** What each line of base64 has of some bytes. */
function partsOf(lines: readonly string[], secret: Buffer): Buffer[] {
  const at = Buffer.from(lines.join(''), 'base64').indexOf(secret);
  if (at === -1) throw new Error('the lines do not have the secret');
  const [from, to] = [Math.ceil((at * 4) / 3), Math.floor(((at + secret.length) * 4) / 3)];
  let start = 0;
  return lines.map((line) => {
    const part = line.slice(Math.max(from - start, 0), Math.max(to - start, 0));
    start += line.length;
    return Buffer.from(part);
  });
}

/** Base64 of some bytes behind none, one or two others, without the characters that they share. */
const encodings = (bytes: Buffer): string[] =>
  [0, 1, 2].map((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes])
      .toString('base64')
      .replace(/=+$/, '');
    return text.slice(before === 0 ? 0 : before + 1, Math.floor(((before + bytes.length) * 4) / 3));
  });

const windows = (text: string): string[] =>
  Array.from({ length: Math.max(text.length - length + 1, 0) }, (_, at) => text.slice(at, at + length));

/** The traces that a text has, however its lines are broken or escaped. */
export function tracesIn(text: string, traces: Iterable<string>): readonly string[] {
  const plain = text.replace(/\\[rn]|\s/g, '');
  return [...traces].filter((trace) => plain.includes(trace));
}

/** How the DER of each type of key in PKCS#8 starts: its version and its algorithm (RFC 5958). */
const starts = ['020100301306072a8648ce3d0201', '020100301006072a8648ce3d0201', '020100300d06092a864886f70d010101'];

const markers = [
  'PRIVATEKEY-----',
  ...encodings(Buffer.from('PRIVATE KEY-----')),
  ...starts.flatMap((start) => encodings(Buffer.from(start, 'hex'))),
];

/** What a text has if it holds any private key at all, in one of these forms. */
export const keyMarkersIn = (text: string): readonly string[] => tracesIn(text, markers);
