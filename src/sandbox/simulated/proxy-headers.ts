import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import type { UserInfo } from '../shared/identity.ts';

/**
 * net/http/httputil, reverseproxy.go: what speaks of one connection alone; and what a request
 * carried for kube-apiserver, which takes it off.
 */
const ofOneConnection = [
  'connection',
  'proxy-connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];
const forApiserver = /^(?:host|expect|authorization|impersonate-.*|x-remote-(?:user|uid|group|extra-.*))$/;
/**
 * What a browser would read as said by kube-apiserver
 * (k8s.io/apimachinery/pkg/util/proxy/upgradeaware.go, corsRemovingTransport).
 */
const cors = /^access-control-allow-(?:credentials|headers|methods|origin)$/;

/**
 * The headers of a request that go on to a backend, but for those that say who asks.
 * @param host - of the backend, or what the client asked for
 */
export function forwardedHeaders(request: IncomingMessage, host: string): OutgoingHttpHeaders {
  const { headersDistinct, headers } = request;
  const named = (headers.connection ?? '').toLowerCase().split(/\s*,\s*/);
  const kept = Object.entries(headersDistinct).filter(
    ([name]) => !ofOneConnection.includes(name) && !named.includes(name) && !forApiserver.test(name),
  );
  const { remoteAddress = '' } = request.socket;
  const before = headersDistinct['x-forwarded-for'] ?? [];
  return {
    ...Object.fromEntries(kept),
    host,
    'x-forwarded-for': [...before, remoteAddress.replace(/^::ffff:/, '')].join(', '),
    ...(/(?:^|,)\s*trailers\s*(?:,|$)/i.test(String(headers.te ?? '')) ? { te: 'trailers' } : {}),
    ...(headers['transfer-encoding'] ? { 'transfer-encoding': 'chunked' } : {}),
  };
}

/**
 * Who asks, as an extension API server reads it (k8s.io/client-go/transport/round_trippers.go,
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

/** Percent-encodes what can not stand in the name of a header (RFC 9110 section 5.6.2). */
const escaped = (key: string): string =>
  [...Buffer.from(key)]
    .map((byte) => String.fromCharCode(byte))
    .map((sign) => (/[!#$&'*+\-.^_`|~0-9A-Za-z]/.test(sign) ? sign : encoded(sign)))
    .join('');
const encoded = (sign: string): string => `%${sign.charCodeAt(0).toString(16).padStart(2, '0').toUpperCase()}`;

/** Node writes headers as Latin-1, Go as the bytes of UTF-8. */
const asBytes = (text: string): string => Buffer.from(text).toString('latin1');

/** The headers of a backend's answer that go back to the client. */
export const returnedHeaders = ({ headersDistinct }: IncomingMessage): (readonly [string, readonly string[]])[] =>
  Object.entries(headersDistinct).flatMap(([name, values = []]) =>
    ofOneConnection.includes(name) || cors.test(name) ? [] : [[name, values] as const],
  );
