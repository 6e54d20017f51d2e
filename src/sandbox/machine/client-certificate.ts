import { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { certificateInfo } from '../../pki/inspect.ts';
import type { CertificateInfo } from '../../pki/types.ts';
import type { UserInfo } from '../simulated/types.ts';

/** A connection shows its certificates once, and serves many requests. */
const known = new WeakMap<Socket, readonly CertificateInfo[]>();

/** The certificates that a client showed in the handshake, its own first; none are judged yet. */
export function presentedBy(socket: Socket): readonly CertificateInfo[] {
  const presented = known.get(socket) ?? [...chainOf(socket)];
  known.set(socket, presented);
  return presented;
}

function* chainOf(socket: Socket): Generator<CertificateInfo> {
  if (!(socket instanceof TLSSocket)) return;
  for (let each = socket.getPeerX509Certificate(); each; each = each.issuerCertificate) yield certificateInfo(each.raw);
}

/** Who a certificate is made out to: the common name, in the groups of its organizations (k8s.io/apiserver/pkg/authentication/request/x509, CommonNameUserConversion). */
export function userOfCertificate({ pem, commonName, fingerprint }: CertificateInfo): UserInfo | undefined {
  if (!commonName) return undefined;
  const { O: organizations = [] } = new X509Certificate(pem).toLegacyObject().subject as { readonly O?: string | string[] };
  const credential = `X509SHA256=${fingerprint.replaceAll(':', '').toLowerCase()}`;
  return { name: commonName, groups: [organizations].flat(), extra: { 'authentication.kubernetes.io/credential-id': [credential] } };
}
