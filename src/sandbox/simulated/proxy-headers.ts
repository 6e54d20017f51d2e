import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import type { UserInfo } from '../shared/identity.ts';

/** Headers of one connection (net/http/httputil, reverseproxy.go). */
const hopByHop = /^(?:connection|proxy-connection|keep-alive|proxy-authenticate|proxy-authorization|te|trailer|transfer-encoding|upgrade)$/;
/** Headers that kube-apiserver reads itself, and does not pass on. */
const consumed = /^(?:host|expect|authorization|impersonate-.*|x-remote-(?:user|uid|group|extra-.*))$/;

/**
 * The headers of a request that are passed on, without the identity.
 * @param host - of the backend
 */
export function forwardedHeaders({ headersDistinct, headers, socket }: IncomingMessage, host: string): OutgoingHttpHeaders {
  const kept = Object.entries(headersDistinct).filter(([name]) => !hopByHop.test(name) && !consumed.test(name));
  const client = (socket.remoteAddress ?? '').replace(/^::ffff:/, '');
  return {
    ...Object.fromEntries(kept),
    host,
    'x-forwarded-for': [...(headersDistinct['x-forwarded-for'] ?? []), client].join(', '),
    ...(headers['transfer-encoding'] ? { 'transfer-encoding': 'chunked' } : {}),
  };
}

/**
 * The identity, as the front proxy passes it on (k8s.io/client-go/transport/round_trippers.go,
 * SetAuthProxyHeaders).
 */
export function identityHeaders({ name, uid, groups, extra }: UserInfo): OutgoingHttpHeaders {
  const extras = Object.entries(extra).map(([key, values]) => [`x-remote-extra-${escaped(key)}`, values.map(asBytes)]);
  return {
    'x-remote-user': asBytes(name),
    ...(uid ? { 'x-remote-uid': asBytes(uid) } : {}),
    ...(groups.length > 0 ? { 'x-remote-group': groups.map(asBytes) } : {}),
    ...Object.fromEntries(extras),
  };
}

/** Percent-encodes what the name of a header cannot contain (RFC 9110 section 5.6.2). */
const escaped = (key: string): string => encodeURIComponent(key).replace(/[()]/g, (sign) => `%${sign.charCodeAt(0).toString(16)}`);

/** Node writes headers as Latin-1, Go as the bytes of UTF-8. */
const asBytes = (text: string): string => Buffer.from(text).toString('latin1');

/** The headers of an answer that are passed back to the client. */
export const returnedHeaders = ({ headersDistinct }: IncomingMessage): (readonly [string, readonly string[]])[] =>
  Object.entries(headersDistinct).flatMap(([name, values = []]) => (hopByHop.test(name) ? [] : [[name, values] as const]));
