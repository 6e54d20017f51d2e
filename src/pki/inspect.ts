import { certificateInfo } from './certificate-info.ts';
import { isEncrypted } from './keys.ts';
import { type PemBlock, pemBlocks } from './pem-blocks.ts';
import type { CertificateInfo, Encoding, Inspection, PemItem } from './types.ts';

export { certificateInfo };

/**
 * Lists the content of a PEM file: certificates, keys without their content, other blocks, and
 * damaged blocks with the reason. A certificate counts only when kube-apiserver finds it too. It
 * accepts any input, never throws, and takes linear time.
 * @param input the text, or the bytes of a file in an unknown encoding
 */
export function inspect(input: string | Uint8Array): Inspection {
  const bytes = typeof input === 'string' ? undefined : Buffer.from(input);
  const text = typeof input === 'string' ? input : Buffer.from(input).toString('utf8');
  const blocks = pemBlocks(text);
  const disguise = blocks.length > 0 ? undefined : (utf16(text) ?? (bytes && der(bytes)) ?? base64(text));
  const items = disguise ? [disguise] : blocks.map(itemOf);
  return { items, certificates: items.flatMap((item) => (item.kind === 'certificate' ? [item.certificate] : [])) };
}

function itemOf(block: PemBlock): PemItem {
  const { line, label, headers } = block;
  if (block.der === undefined) return { kind: 'broken', line, label, reason: block.fault };
  if (label.endsWith('PRIVATE KEY')) {
    return { kind: 'private-key', line, encrypted: isEncrypted(block), label };
  }
  if (label !== 'CERTIFICATE') return { kind: 'other', line, label };
  // crypto/x509 AppendCertsFromPEM skips certificates with headers.
  if (headers.length > 0) return { kind: 'broken', line, label, reason: 'it has headers, and Go skips certificates with headers' };
  const certificate = readCertificate(block.der);
  return typeof certificate === 'string'
    ? { kind: 'broken', line, label, reason: `it is not a certificate: ${certificate}` }
    : { kind: 'certificate', line, certificate };
}

/** The certificate, or why it is not one. */
function readCertificate(bytes: Buffer): CertificateInfo | string {
  try {
    return certificateInfo(bytes);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    // OpenSSL reports its own routines, as in `error:0480006C:PEM routines::no start line`.
    return message.startsWith('error:') ? 'its content is not valid DER' : message;
  }
}

const broken = (label: string, reason: string, encoding?: Encoding): PemItem => ({
  kind: 'broken',
  line: 1,
  label,
  reason,
  ...(encoding ? { encoding } : {}),
});

/**
 * Whether it is PEM in UTF-16, which Windows PowerShell writes when output is redirected to a file.
 */
export const isUtf16 = (text: string): boolean => text.includes('-\0-\0');

const utf16 = (text: string): PemItem | undefined => (isUtf16(text) ? broken('', 'it is UTF-16; PEM must be plain ASCII') : undefined);

/** Decodes base64 with any line ends; undefined for any other text. */
export function fromBase64(text: string): Buffer | undefined {
  const packed = text.replace(/\s/g, '');
  return /^[A-Za-z0-9+/]+={0,2}$/.test(packed) ? Buffer.from(packed, 'base64') : undefined;
}

const der = (bytes: Buffer): PemItem | undefined =>
  bytes[0] === 0x30 && typeof readCertificate(bytes) !== 'string'
    ? broken('CERTIFICATE', 'it is DER; convert it with openssl x509 -inform der', 'der')
    : undefined;

/** A caBundle that was encoded twice, or a certificate without its first and last line. */
function base64(text: string): PemItem | undefined {
  const bytes = fromBase64(text);
  if (!bytes) return undefined;
  const [inner] = pemBlocks(bytes.toString('latin1'));
  if (inner) return broken(inner.label, 'it is PEM, but base64-encoded', 'base64-of-pem');
  return der(bytes) && broken('CERTIFICATE', 'it is base64 without its -----BEGIN and -----END lines');
}
