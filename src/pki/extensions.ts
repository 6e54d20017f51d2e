import { createHash, type KeyObject } from 'node:crypto';
import { UsageError } from '../errors.ts';
import { bits, boolean, children, content, decode, encode, implicit, type Node, octets, oid, sequence, tagged, unsigned } from './der.ts';
import { ipBytes } from './ip.ts';
import type { ServingNames } from './types.ts';

/** Object identifiers of the extensions that apisvc writes or reads (RFC 5280 4.2.1). */
export const extensionOid = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
} as const;

/** Bit numbers of KeyUsage (RFC 5280 4.2.1.3). */
export const keyUsageBits = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
] as const;
export type KeyUsage = (typeof keyUsageBits)[number];

/** The purposes of RFC 5280 4.2.1.12 that have a name here. */
export const purposeOid = { serverAuth: '1.3.6.1.5.5.7.3.1', clientAuth: '1.3.6.1.5.5.7.3.2', any: '2.5.29.37.0' } as const;
export type Usage = 'serverAuth' | 'clientAuth';

/** Tags of the GeneralNames that matter to a server (RFC 5280 4.2.1.6). */
export const generalName = { dns: 2, ip: 7 } as const;

const extension = (id: string, critical: boolean, value: Node): Node =>
  sequence(oid(id), ...(critical ? [boolean(true)] : []), octets(encode(value)));

/**
 * Critical, as RFC 5280 4.2.1.9 requires for a CA. `pathLength` is the number of CAs allowed below.
 */
export const caConstraints = (pathLength: number): Node =>
  extension(extensionOid.basicConstraints, true, sequence(boolean(true), unsigned(Buffer.of(pathLength))));

/** An empty sequence: cA is false by default, and DER omits defaults. */
export const endEntityConstraints = (): Node => extension(extensionOid.basicConstraints, true, sequence());

/**
 * A named bit list: DER drops trailing zero bits (X.690 11.2.2). All usages of apisvc fit into one
 * byte.
 */
export function keyUsage(...usages: KeyUsage[]): Node {
  const numbers = usages.map((usage) => keyUsageBits.indexOf(usage));
  const byte = numbers.reduce((sum, number) => sum | (0x80 >> number), 0);
  return extension(extensionOid.keyUsage, true, bits(Buffer.of(byte), 7 - Math.max(...numbers)));
}

export const extendedKeyUsage = (usages: readonly Usage[]): Node =>
  extension(extensionOid.extendedKeyUsage, false, sequence(...usages.map((usage) => oid(purposeOid[usage]))));

const dnsName = (name: string): Node => implicit(generalName.dns, Buffer.from(name, 'latin1'));

function addressBytes(address: string): Buffer {
  const bytes = ipBytes(address);
  if (!bytes) throw new UsageError(`not an IP address: ${address}`);
  return bytes;
}

const ipName = (address: string): Node => implicit(generalName.ip, addressBytes(address));

/** Critical only when the subject is empty (RFC 5280 4.2.1.6). */
export const subjectAltName = ({ dns, ip }: ServingNames, critical: boolean): Node =>
  extension(extensionOid.subjectAltName, critical, sequence(...dns.map(dnsName), ...ip.map(ipName)));

/**
 * The leftmost 160 bits of the SHA-256 of the public key's bits (RFC 7093 section 2, method 1), as
 * Go does since 1.25.
 */
export function keyIdentifier(publicKey: KeyObject): Buffer {
  const [, keyBits] = children(decode(publicKey.export({ type: 'spki', format: 'der' })));
  return createHash('sha256').update(content(keyBits).subarray(1)).digest().subarray(0, 20);
}

export const subjectKeyIdentifier = (id: Buffer): Node => extension(extensionOid.subjectKeyIdentifier, false, octets(id));

export const authorityKeyIdentifier = (id: Buffer): Node =>
  extension(extensionOid.authorityKeyIdentifier, false, sequence(implicit(0, id)));

const everyDnsName = dnsName('');
const everyIp = [Buffer.alloc(8), Buffer.alloc(32)].map((network) => implicit(generalName.ip, network));

/** One address as a network: the address, then a mask of ones. */
function singleIp(address: string): Node {
  const bytes = addressBytes(address);
  return implicit(generalName.ip, Buffer.concat([bytes, Buffer.alloc(bytes.length, 0xff)]));
}

/**
 * Permits only these names (RFC 5280 4.2.1.10). A form of name without a permitted subtree would
 * not be limited, so that the whole form is excluded. DNS constraints have no wildcards:
 * `*.example.com` becomes `example.com`, which covers everything below it.
 */
export function nameConstraints({ dns, ip }: ServingNames): Node {
  const permittedDns = [...new Set(dns.map((name) => name.replace(/^\*\./, '')))];
  const permitted = [...permittedDns.map(dnsName), ...ip.map(singleIp)];
  const excluded = [...(dns.length > 0 ? [] : [everyDnsName]), ...(ip.length > 0 ? [] : everyIp)];
  const subtrees = (names: Node[]): Node[] => names.map((name) => sequence(name));
  return extension(
    extensionOid.nameConstraints,
    true,
    sequence(
      ...(permitted.length > 0 ? [tagged(0, ...subtrees(permitted))] : []),
      ...(excluded.length > 0 ? [tagged(1, ...subtrees(excluded))] : []),
    ),
  );
}
