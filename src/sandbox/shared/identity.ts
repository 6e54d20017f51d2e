import type { X509Certificate } from 'node:crypto';

/** k8s.io/apiserver/pkg/authentication/user. */
export interface UserInfo {
  readonly name: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

/** A client without credentials. */
export const anonymous: UserInfo = { name: 'system:anonymous', groups: ['system:unauthenticated'], extra: {} };

/** k8s.io/apiserver/pkg/authentication/group/authenticated_group_adder.go. */
export function authenticated(user: UserInfo): UserInfo {
  const isMarked = user.groups.some((group) => group === 'system:authenticated' || group === 'system:unauthenticated');
  return isMarked || user.name === anonymous.name ? user : { ...user, groups: [...user.groups, 'system:authenticated'] };
}

/**
 * The user of a client certificate: its common name, in the groups of its organizations
 * (k8s.io/apiserver/pkg/authentication/request/x509, CommonNameUserConversion).
 * @returns undefined without a common name
 */
export function userOfCertificate(certificate: X509Certificate): UserInfo | undefined {
  const { CN: names = [], O: organizations = [] } = certificate.toLegacyObject().subject;
  const name = [names].flat().at(-1);
  const credential = `X509SHA256=${certificate.fingerprint256.replaceAll(':', '').toLowerCase()}`;
  return name ? { name, groups: [organizations].flat(), extra: { 'authentication.kubernetes.io/credential-id': [credential] } } : undefined;
}
