import { children, content, decode, isTagged, isUniversal, type Node, readOid } from './der.ts';
import { extensionOid, generalName, keyUsageBits, purposeOid } from './extensions.ts';
import { ipText } from './ip.ts';
import type { CertificateInfo, ServingNames } from './types.ts';

type Extensions = ReadonlyMap<string, Buffer>;

const nodeOf = (extensions: Extensions, name: keyof typeof extensionOid): Node | undefined => {
  const der = extensions.get(extensionOid[name]);
  return der && decode(der);
};

/** Without cA it is false, and without pathLenConstraint there is no limit (RFC 5280 4.2.1.9). */
export function readBasicConstraints(extensions: Extensions): Pick<CertificateInfo, 'isCA' | 'pathLength'> {
  const node = nodeOf(extensions, 'basicConstraints');
  if (!node) return { isCA: undefined, pathLength: undefined };
  const ca = children(node).find((part) => isUniversal(part, 'BOOLEAN'));
  const length = children(node).find((part) => isUniversal(part, 'INTEGER'));
  return { isCA: ca !== undefined && content(ca).readUInt8() !== 0, pathLength: length && numberIn(content(length)) };
}

const numberIn = (bytes: Buffer): number => Number(BigInt(`0x${bytes.toString('hex')}`));

export function readKeyUsage(extensions: Extensions): CertificateInfo['keyUsage'] {
  const node = nodeOf(extensions, 'keyUsage');
  if (!node) return undefined;
  const bytes = content(node).subarray(1);
  return keyUsageBits.filter((_, index) => ((bytes[index >> 3] ?? 0) & (0x80 >> (index & 7))) !== 0);
}

const purposeNames = new Map<string, string>(Object.entries(purposeOid).map(([name, id]) => [id, name]));

export function readExtendedKeyUsage(extensions: Extensions): CertificateInfo['extendedKeyUsage'] {
  const node = nodeOf(extensions, 'extendedKeyUsage');
  return node && children(node).map((purpose) => purposeNames.get(readOid(purpose)) ?? readOid(purpose));
}

/** An IA5String whose characters other than visible ASCII are written as `\xx`. */
const asciiText = (bytes: Buffer): string =>
  bytes.toString('latin1').replace(/[^\x21-\x7e]/g, (character) => `\\${character.charCodeAt(0).toString(16).padStart(2, '0')}`);

/**
 * The DNS names and IP addresses of subjectAltName; clients of a server ignore other forms of name.
 */
export function readAlternativeNames(extensions: Extensions): ServingNames {
  const node = nodeOf(extensions, 'subjectAltName');
  const names = node ? children(node) : [];
  return {
    dns: names.filter((name) => isTagged(name, generalName.dns)).map((name) => asciiText(content(name))),
    ip: names.filter((name) => isTagged(name, generalName.ip)).map((name) => ipText(content(name))),
  };
}

const hex = (bytes: Buffer): string => bytes.toString('hex').toUpperCase();

/** The two key identifiers, as upper-case hexadecimal. */
export function readKeyIdentifiers(extensions: Extensions): Pick<CertificateInfo, 'subjectKeyId' | 'authorityKeyId'> {
  const subject = nodeOf(extensions, 'subjectKeyIdentifier');
  const authority = nodeOf(extensions, 'authorityKeyIdentifier');
  const id = authority && children(authority).find((part) => isTagged(part, 0));
  return { subjectKeyId: subject && hex(content(subject)), authorityKeyId: id && hex(content(id)) };
}

export function readNameConstraints(extensions: Extensions): CertificateInfo['nameConstraints'] {
  const node = nodeOf(extensions, 'nameConstraints');
  if (!node) return undefined;
  const bases = (number: number): Node[] => {
    const subtrees = children(node).find((part) => isTagged(part, number));
    return subtrees ? children(subtrees).flatMap((subtree) => children(subtree).slice(0, 1)) : [];
  };
  const dns = (number: number): string[] =>
    bases(number)
      .filter((base) => isTagged(base, generalName.dns))
      .map((base) => asciiText(content(base)));
  const ip = (number: number): string[] =>
    bases(number)
      .filter((base) => isTagged(base, generalName.ip))
      .map((base) => networkText(content(base)));
  return { permittedDns: dns(0), excludedDns: dns(1), permittedIp: ip(0), excludedIp: ip(1) };
}

/** Writes an address and its mask as `10.0.0.0/8`. */
function networkText(bytes: Buffer): string {
  const half = bytes.length / 2;
  const mask = [...bytes.subarray(half)].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  if ((half !== 4 && half !== 16) || !/^1*0*$/.test(mask)) throw new Error('its name constraints contain a malformed IP range');
  return `${ipText(bytes.subarray(0, half))}/${mask.replace(/0+$/, '').length}`;
}
