import { isIPv4, isIPv6 } from 'node:net';

/**
 * The bytes of an IP address as certificates contain them (RFC 5280 4.2.1.6).
 * An IPv4 address written as IPv6 (::ffff:10.0.0.1) counts as IPv4, as in Go's net.IP.
 * @returns 4 or 16 bytes, or undefined when it is not an IP address
 */
export function ipBytes(address: string): Buffer | undefined {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number));
  if (!isIPv6(address) || address.includes('%')) return undefined;
  // The URL parser writes an embedded IPv4 part in hexadecimal and compresses one run of zeros.
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const first = groups(head);
  const last = groups(tail ?? '');
  const bytes = Buffer.alloc(16);
  for (const [index, group] of first.entries()) bytes.writeUInt16BE(group, 2 * index);
  for (const [index, group] of last.entries()) bytes.writeUInt16BE(group, 2 * (8 - last.length + index));
  return bytes.subarray(0, 12).equals(mappedPrefix) ? bytes.subarray(12) : bytes;
}

const mappedPrefix = Buffer.from('00000000000000000000ffff', 'hex');
const groups = (text: string): number[] => (text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16)));

/**
 * The text of an address of 4 or 16 bytes; hexadecimal for any other length, which is malformed.
 */
export function ipText(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join('.');
  if (bytes.length !== 16) return bytes.toString('hex');
  const text = bytes.toString('hex').match(/.{4}/g)?.join(':');
  return new URL(`http://[${text}]`).hostname.slice(1, -1);
}
