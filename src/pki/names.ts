import { children, content, isUniversal, type Node, readOid } from './der.ts';

/**
 * Attribute types that RFC 4514 section 3 writes by name; the others are written as dotted OIDs.
 */
const attributeNames = new Map([
  ['2.5.4.3', 'CN'],
  ['2.5.4.6', 'C'],
  ['2.5.4.7', 'L'],
  ['2.5.4.8', 'ST'],
  ['2.5.4.9', 'STREET'],
  ['2.5.4.10', 'O'],
  ['2.5.4.11', 'OU'],
  ['0.9.2342.19200300.100.1.1', 'UID'],
  ['0.9.2342.19200300.100.1.25', 'DC'],
]);

const hexEscape = (text: string): string =>
  [...Buffer.from(text)].map((byte) => `\\${byte.toString(16).padStart(2, '0').toUpperCase()}`).join('');

/**
 * Escapes characters that control a terminal or hide text, as RFC 4514 section 2.4 allows: `\XX`
 * for each byte.
 */
const hexEscaped = (text: string): string => text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, hexEscape);

/**
 * The text of a directory string of any type (RFC 5280 4.1.2.4). T61String is read as Latin-1, as
 * other implementations do.
 */
function textOf(node: Node | undefined): string {
  if (isUniversal(node, 'UTF8')) return content(node).toString('utf8');
  // node-forge has already decoded this type: one character for each 16 bits.
  if (isUniversal(node, 'BMPSTRING')) return String(node?.value);
  return content(node).toString('latin1');
}

const escapeValue = (value: string): string => hexEscaped(value.replace(/[",+;<>\\]|^[ #]| $/g, '\\$&'));

interface Attribute {
  readonly type: string;
  readonly value: string;
}

const attributesOf = (relativeName: Node): Attribute[] =>
  children(relativeName).map((attribute) => {
    const [type, value] = children(attribute);
    return { type: readOid(type), value: textOf(value) };
  });

/** A distinguished name as RFC 4514 writes it, most specific part first, safe for a terminal. */
export const nameText = (name: Node): string =>
  children(name)
    .map((part) => attributesOf(part).map(({ type, value }) => `${attributeNames.get(type) ?? type}=${escapeValue(value)}`))
    .map((part) => part.join('+'))
    .reverse()
    .join(',');

/** The most specific common name, safe for a terminal; undefined when there is none. */
export function commonNameOf(name: Node): string | undefined {
  const found = children(name)
    .flatMap(attributesOf)
    .findLast(({ type }) => type === '2.5.4.3');
  return found && hexEscaped(found.value);
}
