/**
 * An element of DER (X.690). `tag` is its first byte: the class, a bit for a constructed element, and
 * the number. The content is bytes, or the elements inside a constructed one.
 */
export interface Node {
  readonly tag: number;
  readonly content: Uint8Array | readonly Node[];
}

/** The numbers of the universal types in use (X.690 8, X.680 8.4). */
const universal = {
  BOOLEAN: 1,
  INTEGER: 2,
  BITSTRING: 3,
  OCTETSTRING: 4,
  NULL: 5,
  OID: 6,
  UTF8: 12,
  SEQUENCE: 16,
  SET: 17,
  UTCTIME: 23,
  GENERALIZEDTIME: 24,
  BMPSTRING: 30,
} as const;

type UniversalType = keyof typeof universal;

const constructed = 0x20;
const contextSpecific = 0x80;

const primitive = (type: UniversalType, bytes: Uint8Array): Node => ({ tag: universal[type], content: bytes });

export const sequence = (...items: Node[]): Node => ({ tag: universal.SEQUENCE | constructed, content: items });
export const set = (...items: Node[]): Node => ({ tag: universal.SET | constructed, content: items });
export const boolean = (value: boolean): Node => primitive('BOOLEAN', Buffer.of(value ? 0xff : 0));
export const nil = (): Node => primitive('NULL', Buffer.of());
export const utf8 = (text: string): Node => primitive('UTF8', Buffer.from(text));
export const octets = (bytes: Uint8Array): Node => primitive('OCTETSTRING', bytes);

/** An OBJECT IDENTIFIER. The first two arcs share a number (X.690 8.19). */
export function oid(dotted: string): Node {
  const [first = 0, second = 0, ...more] = dotted.split('.').map(Number);
  return primitive('OID', Buffer.from([40 * first + second, ...more].flatMap(base128)));
}

/** Seven bits in each byte; all but the last have the high bit. */
function base128(value: number): number[] {
  const bytes = [value % 128];
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) bytes.unshift(0x80 + (rest % 128));
  return bytes;
}

/**
 * An INTEGER that is never negative, from its magnitude (big-endian), in the fewest bytes, as DER
 * requires (X.690 8.3.2).
 */
export function unsigned(magnitude: Uint8Array): Node {
  const start = magnitude.findIndex((byte) => byte !== 0);
  const digits = start < 0 ? Buffer.of(0) : magnitude.subarray(start);
  return primitive('INTEGER', (digits[0] ?? 0) > 0x7f ? Buffer.concat([Buffer.of(0), digits]) : digits);
}

/** A BIT STRING of whole bytes, or one that leaves out the last `unused` bits. */
export const bits = (bytes: Uint8Array, unused = 0): Node => primitive('BITSTRING', Buffer.concat([Buffer.of(unused), bytes]));

/** `[number]` around other nodes: an EXPLICIT tag, or an IMPLICIT one of a SEQUENCE. */
export const tagged = (number: number, ...items: Node[]): Node => ({ tag: contextSpecific | constructed | number, content: items });

/** `[number]` in place of the tag of a primitive type. */
export const implicit = (number: number, bytes: Uint8Array): Node => ({ tag: contextSpecific | number, content: bytes });

/**
 * UTCTime for years up to 2049 and GeneralizedTime from 2050 on, whole seconds (RFC 5280 4.1.2.5).
 */
export function time(date: Date): Node {
  const digits = date
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replace(/[-:T]/g, '');
  return date.getUTCFullYear() < 2050
    ? primitive('UTCTIME', Buffer.from(digits.slice(2)))
    : primitive('GENERALIZEDTIME', Buffer.from(digits));
}

/** The bytes of an element. Lengths take the fewest bytes (X.690 10.1). */
export function encode({ tag, content }: Node): Buffer {
  const bytes = content instanceof Uint8Array ? content : Buffer.concat(content.map(encode));
  return Buffer.concat([Buffer.from([tag, ...lengthBytes(bytes.length)]), bytes]);
}

function lengthBytes(length: number): number[] {
  if (length < 0x80) return [length];
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return [0x80 | bytes.length, ...bytes];
}

/** No certificate is nested deeper. */
const maxDepth = 40;

/**
 * Reads one DER element that fills `der` completely.
 * @throws Error when it is not DER, or is nested deeper than any certificate
 */
export function decode(der: Uint8Array): Node {
  const [node, ...more] = elementsIn(Buffer.from(der.buffer, der.byteOffset, der.length), 0);
  if (!node || more.length > 0) throw new Error('it is not one DER element');
  return node;
}

function elementsIn(bytes: Buffer, depth: number): Node[] {
  if (depth >= maxDepth) throw new Error('its DER is nested too deeply');
  const found: Node[] = [];
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes.readUInt8(at);
    const { start, end } = contentRange(bytes, at + 1);
    const inside = bytes.subarray(start, end);
    found.push({ tag, content: tag & constructed ? elementsIn(inside, depth + 1) : inside });
    at = end;
  }
  return found;
}

/** Where the content is whose length is written at this place (X.690 8.1.3, 10.1). */
function contentRange(bytes: Buffer, at: number): { start: number; end: number } {
  const first = bytes[at] ?? 0x80;
  const size = first < 0x80 ? 0 : first & 0x7f;
  const start = at + 1 + size;
  // 0x80 alone would be an indefinite length.
  if (first === 0x80 || size > 4 || start > bytes.length) throw new Error('its DER is damaged');
  const end = start + (size === 0 ? first : bytes.readUIntBE(at + 1, size));
  if (end > bytes.length) throw new Error('its DER ends early');
  return { start, end };
}

/**
 * The nodes inside a constructed node.
 * @throws Error when it holds plain bytes
 */
export function children(node: Node | undefined): Node[] {
  if (!node || node.content instanceof Uint8Array) throw new Error('expected a constructed ASN.1 value');
  return [...node.content];
}

/**
 * The bytes inside a primitive node.
 * @throws Error when it holds other nodes
 */
export function content(node: Node | undefined): Buffer {
  if (!node || !(node.content instanceof Uint8Array)) throw new Error('expected a primitive ASN.1 value');
  return Buffer.from(node.content);
}

export const isUniversal = (node: Node | undefined, type: UniversalType): boolean =>
  node !== undefined && (node.tag & ~constructed) === universal[type];

export const isTagged = (node: Node | undefined, number: number): boolean =>
  node !== undefined && (node.tag & ~constructed) === (contextSpecific | number);

/** An OBJECT IDENTIFIER as dotted numbers. */
export function readOid(node: Node | undefined): string {
  const arcs: bigint[] = [];
  let arc = 0n;
  for (const byte of content(node)) {
    arc = arc * 128n + BigInt(byte & 0x7f);
    if (byte < 0x80) {
      arcs.push(arc);
      arc = 0n;
    }
  }
  const [both = 0n, ...more] = arcs;
  const first = both < 80n ? both / 40n : 2n;
  return [first, both - 40n * first, ...more].join('.');
}

/**
 * Reads UTCTime (years 1950 to 2049) or GeneralizedTime in the form that RFC 5280 4.1.2.5 requires:
 * whole seconds, Z.
 * @throws Error when it is in another form
 */
export function readTime(node: Node | undefined): Date {
  const text = content(node).toString('latin1');
  const short = isUniversal(node, 'UTCTIME');
  const digits = short ? `${Number(text.slice(0, 2)) < 50 ? '20' : '19'}${text}` : text;
  const date = new Date(digits.replace(/^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
  if (Number.isNaN(date.getTime())) throw new Error('a time is not in the form of RFC 5280');
  return date;
}
