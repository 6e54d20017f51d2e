import type { IncomingHttpHeaders } from 'node:http';

/**
 * The token of an `Authorization: Bearer` header, read as kube-apiserver does
 * (k8s.io/apiserver/pkg/authentication/request/bearertoken/bearertoken.go).
 * @returns undefined without one
 */
export const bearerToken = ({ authorization = '' }: Pick<IncomingHttpHeaders, 'authorization'>): string | undefined =>
  /^\s*bearer ([^ ]+)/i.exec(authorization)?.[1];
