import type { IncomingMessage } from 'node:http';
import { parse } from 'yaml';
import { ApiFailure, badRequest } from '../shared/failure.ts';
import { apiVersionOf } from './kinds.ts';
import { readProtobuf } from './protobuf.ts';
import type { Call, Kind, Obj } from './types.ts';

/** k8s.io/apiserver/pkg/server/config.go, MaxRequestBodyBytes. */
const maxBodyBytes = 3 * 1024 * 1024;

/** Reads the body of a request to its end. @throws ApiFailure 413 */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    // The rest is read and dropped, so that the client gets to read the answer.
    if (size <= maxBodyBytes) chunks.push(chunk);
  }
  if (size > maxBodyBytes) throw new ApiFailure(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${maxBodyBytes}`);
  return Buffer.concat(chunks);
}

/** The media type of a body in lower case, without parameters; empty without one. */
export const mediaTypeOf = ({ headers }: IncomingMessage): string =>
  (headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';

/**
 * Reads the object in the body of a request.
 * @throws ApiFailure 400 when it is not an object of this kind; 413; 415
 */
export async function readObject({ request }: Pick<Call, 'request'>, kind: Pick<Kind, 'group' | 'version' | 'kind'>): Promise<Obj> {
  const object = parseBody(mediaTypeOf(request), await readBody(request), kind);
  // The type may be left out: the path gives it (k8s.io/apimachinery/pkg/runtime/serializer/json).
  const { apiVersion = apiVersionOf(kind), kind: name = kind.kind } = object;
  if (apiVersion !== apiVersionOf(kind) || name !== kind.kind)
    throw badRequest(`${name} in version "${apiVersion}" cannot be handled as a ${kind.kind}`);
  return withoutNulls(object);
}

/** Reads an object in JSON, YAML or protobuf. @throws ApiFailure 400, 415 */
export function parseBody(type: string, body: Buffer, kind: Pick<Kind, 'group'>): Obj {
  if (type === '' || type === 'application/json') return parseObject(() => JSON.parse(body.toString('utf8')));
  if (type === 'application/yaml') return parseYaml(body);
  if (type === 'application/vnd.kubernetes.protobuf') return parseObject(() => readProtobuf(body, kind));
  const readable = 'application/json, application/yaml, application/vnd.kubernetes.protobuf';
  const message = `the body of the request was in an unknown format - accepted media types include: ${readable}`;
  throw new ApiFailure(415, 'UnsupportedMediaType', message);
}

/** YAML includes JSON. @throws ApiFailure 400 */
export const parseYaml = (body: Buffer): Obj => parseObject(() => parse(body.toString('utf8')));

function parseObject(read: () => unknown): Obj {
  try {
    const value = read() ?? {};
    if (typeof value === 'object' && !Array.isArray(value)) return value;
  } catch (error) {
    if (error instanceof ApiFailure) throw error;
    throw badRequest(`the object provided is unrecognized: ${(error as Error).message.split('\n')[0]}`);
  }
  throw badRequest('the object provided is unrecognized: it is not an object');
}

/** Go's types have no null where a field is left out. */
export const withoutNulls = (value: Obj): Obj => {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, part]) => part !== null)
      .map(([key, part]) => [key, withoutNulls(part)]),
  );
};
