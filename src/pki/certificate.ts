import { children, content, decode, isTagged, type Node, readOid, readTime } from './der.ts';

/** The parts of a certificate (RFC 5280 4.1), not yet interpreted. */
export interface CertificateParts {
  readonly version: number;
  readonly serial: Buffer;
  readonly issuer: Node;
  readonly subject: Node;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly signatureAlgorithm: string;
  /** DER inside each extension, by OID. */
  readonly extensions: ReadonlyMap<string, Buffer>;
}

/**
 * Parses a certificate.
 * @throws Error when it is malformed, also where Go's parser is stricter than Node
 * (crypto/x509/parser.go)
 */
export function certificateParts(der: Uint8Array): CertificateParts {
  const [tbs, algorithm] = children(decode(der));
  const fields = children(tbs);
  const version = isTagged(fields[0], 0) ? 1 + content(children(fields.shift())[0]).readUInt8() : 1;
  const [serial, , issuer, validity, subject] = fields;
  if (!issuer || !subject) throw new Error('its names are missing');
  const [notBefore, notAfter] = children(validity);
  if (content(serial).readUInt8() > 0x7f) throw new Error('its serial number is negative');
  return {
    version,
    serial: content(serial),
    issuer,
    subject,
    notBefore: readTime(notBefore),
    notAfter: readTime(notAfter),
    signatureAlgorithm: readOid(children(algorithm)[0]),
    extensions: extensionsIn(fields.find((field) => isTagged(field, 3))),
  };
}

function extensionsIn(field: Node | undefined): Map<string, Buffer> {
  const found = new Map<string, Buffer>();
  for (const extension of field ? children(children(field)[0]) : []) {
    const parts = children(extension);
    const id = readOid(parts[0]);
    if (found.has(id)) throw new Error(`its extension ${id} appears twice`);
    found.set(id, content(parts.at(-1)));
  }
  return found;
}
