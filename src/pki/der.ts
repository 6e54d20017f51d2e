import type { asn1 } from 'node-forge';
import forge from 'node-forge/lib/asn1.js';

/**
 * A node of an ASN.1 tree, as node-forge represents it. Bytes are strings with one character for
 * each byte.
 */
export type Node = asn1.Asn1;

const { UNIVERSAL, CONTEXT_SPECIFIC } = forge.Class;
const { Type } = forge;

const bytesOf = (content: Uint8Array): string => Buffer.from(content).toString('latin1');
const primitive = (type: asn1.Type, content: Uint8Array): Node => forge.create(UNIVERSAL, type, false, bytesOf(content));

export const sequence = (...items: Node[]): Node => forge.create(UNIVERSAL, Type.SEQUENCE, true, items);
export const set = (...items: Node[]): Node => forge.create(UNIVERSAL, Type.SET, true, items);
export const oid = (dotted: string): Node => forge.create(UNIVERSAL, Type.OID, false, forge.oidToDer(dotted).getBytes());
export const boolean = (value: boolean): Node => primitive(Type.BOOLEAN, Buffer.of(value ? 0xff : 0));
export const nil = (): Node => primitive(Type.NULL, Buffer.of());
export const utf8 = (text: string): Node => primitive(Type.UTF8, Buffer.from(text));
export const octets = (content: Uint8Array): Node => primitive(Type.OCTETSTRING, content);

/**
 * An INTEGER that is never negative, from its magnitude (big-endian), in the fewest bytes, as DER
 * requires (X.690 8.3.2).
 */
export function unsigned(magnitude: Uint8Array): Node {
  const start = magnitude.findIndex((byte) => byte !== 0);
  const digits = start < 0 ? Buffer.of(0) : magnitude.subarray(start);
  return primitive(Type.INTEGER, (digits[0] ?? 0) > 0x7f ? Buffer.concat([Buffer.of(0), digits]) : digits);
}

/** A BIT STRING of whole bytes, or one that leaves out the last `unused` bits. */
export const bits = (content: Uint8Array, unused = 0): Node => primitive(Type.BITSTRING, Buffer.concat([Buffer.of(unused), content]));

/** `[number]` around other nodes: an EXPLICIT tag, or an IMPLICIT one of a SEQUENCE. */
export const tagged = (number: number, ...items: Node[]): Node => forge.create(CONTEXT_SPECIFIC, number, true, items);

/** `[number]` in place of the tag of a primitive type. */
export const implicit = (number: number, content: Uint8Array): Node => forge.create(CONTEXT_SPECIFIC, number, false, bytesOf(content));

/**
 * UTCTime for years up to 2049 and GeneralizedTime from 2050 on, whole seconds (RFC 5280 4.1.2.5).
 */
export function time(date: Date): Node {
  const digits = date
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replace(/[-:T]/g, '');
  return date.getUTCFullYear() < 2050
    ? primitive(Type.UTCTIME, Buffer.from(digits.slice(2)))
    : primitive(Type.GENERALIZEDTIME, Buffer.from(digits));
}

export const encode = (node: Node): Buffer => Buffer.from(forge.toDer(node).getBytes(), 'latin1');

/**
 * Reads one DER element that fills `der` completely.
 * @throws Error of node-forge when it is not DER, or is nested deeper than any certificate
 */
export const decode = (der: Uint8Array): Node => forge.fromDer(bytesOf(der), { decodeBitStrings: false, maxDepth: 40 });

/**
 * The nodes inside a constructed node.
 * @throws Error when it holds plain bytes
 */
export function children(node: Node | undefined): Node[] {
  if (!node || !Array.isArray(node.value)) throw new Error('expected a constructed ASN.1 value');
  return node.value;
}

/**
 * The bytes inside a primitive node.
 * @throws Error when it holds other nodes
 */
export function content(node: Node | undefined): Buffer {
  if (!node || typeof node.value !== 'string') throw new Error('expected a primitive ASN.1 value');
  return Buffer.from(node.value, 'latin1');
}

export const isUniversal = (node: Node | undefined, type: keyof typeof Type): boolean =>
  node?.tagClass === UNIVERSAL && node.type === Type[type];

export const isTagged = (node: Node | undefined, number: number): boolean =>
  node?.tagClass === CONTEXT_SPECIFIC && Number(node.type) === number;

export const readOid = (node: Node | undefined): string => forge.derToOid(content(node).toString('latin1'));

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
