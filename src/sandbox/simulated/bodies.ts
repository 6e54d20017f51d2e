import type { IncomingMessage } from 'node:http';
import { parse } from 'yaml';
import { ApiFailure, badRequest } from '../shared/failure.ts';
import { apiVersionOf, kindOf } from './kinds.ts';
import { readProtobuf } from './protobuf.ts';
import type { Call, Kind, Obj } from './types.ts';

/**
 * The limit of kube-apiserver for a request (k8s.io/apiserver/pkg/server/config.go,
 * MaxRequestBodyBytes).
 */
const maxBodyBytes = 3 * 1024 * 1024;

/**
 * Reads the body of a request to its end.
 * @throws ApiFailure 413 when it is longer than kube-apiserver takes
 */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    // What follows is read and dropped, so that the client comes to read the answer.
    if (size <= maxBodyBytes) chunks.push(chunk);
  }
  if (size > maxBodyBytes) throw new ApiFailure(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${maxBodyBytes}`);
  return Buffer.concat(chunks);
}

const readable = 'application/json, application/yaml, application/vnd.kubernetes.protobuf';

/** The media type of a body, in small letters and without parameters; empty without one. */
export const mediaTypeOf = ({ headers }: IncomingMessage): string =>
  (headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';

/**
 * Reads the object in the body of a request.
 * @throws ApiFailure 400 when it is none, or none of this kind; 415 when it is none of JSON, YAML
 * and protobuf
 */
export async function readObject({ request }: Pick<Call, 'request'>, kind: Pick<Kind, 'group' | 'version' | 'kind'>): Promise<Obj> {
  const type = mediaTypeOf(request);
  const body = await readBody(request);
  const unrecognized = (why: string) =>
    badRequest(`the object provided is unrecognized (must be of type ${kind.kind}): ${why} (${summary(body)})`);
  const object = parseBody(type, body, kind, unrecognized);
  checkType(object, kind);
  return withoutNulls(object);
}

type Refuse = (why: string) => ApiFailure;

/**
 * Reads what is in a body of this media type.
 * @param refuse - the failure, given what is wrong.
 * @throws what it makes; ApiFailure 415 when it is none of JSON, YAML and protobuf
 */
export function parseBody(type: string, body: Buffer, kind: Pick<Kind, 'group'>, refuse: Refuse): Obj {
  const text = body.toString('utf8');
  if (type === '' || type === 'application/json')
    return parseJson(text, (why) => refuse(`couldn't get version/kind; json parse error: ${why}`));
  if (type === 'application/yaml') return parseYaml(text, refuse);
  if (type !== 'application/vnd.kubernetes.protobuf') {
    throw new ApiFailure(
      415,
      'UnsupportedMediaType',
      `the body of the request was in an unknown format - accepted media types include: ${readable}`,
    );
  }
  try {
    return readProtobuf(body, kind);
  } catch (error) {
    throw error instanceof RangeError ? refuse(error.message) : error;
  }
}

/**
 * As much of a body as a message has room for (k8s.io/apiserver/pkg/endpoints/handlers/rest.go,
 * summarizeData).
 */
function summary(body: Buffer): string {
  if (body.length === 0) return '<empty>';
  const [shown, whole] = body[0] === 0x7b ? [body.toString('utf8', 0, 30), 30] : [body.toString('hex', 0, 30), 30];
  return body.length > whole ? `${shown} ...` : shown;
}

function parseJson(text: string, refuse: Refuse): Obj {
  try {
    return objectOf(JSON.parse(text), refuse);
  } catch (error) {
    if (error instanceof ApiFailure) throw error;
    const [, character] = /^Unexpected token '?(.+?)'?[ ,]/.exec((error as Error).message) ?? [];
    throw refuse(
      character === undefined ? 'unexpected end of JSON input' : `invalid character '${character}' looking for beginning of value`,
    );
  }
}

/** Reads an object in YAML, of which JSON is a part. @throws what `refuse` makes */
export function parseYaml(text: string, refuse: Refuse): Obj {
  try {
    return objectOf(parse(text), refuse);
  } catch (error) {
    if (error instanceof ApiFailure) throw error;
    throw refuse(`error converting YAML to JSON: yaml: ${(error as Error).message.split('\n')[0]}`);
  }
}

const typeMeta = 'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }';

function objectOf(value: unknown, refuse: Refuse): Obj {
  if (value === null) return {};
  if (typeof value === 'object' && !Array.isArray(value)) return value;
  const type = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value;
  throw refuse(`json: cannot unmarshal ${type} into Go value of type ${typeMeta}`);
}

/** The type may be left out: the path says it (k8s.io/apimachinery/pkg/runtime/serializer/json). */
function checkType(object: Obj, kind: Pick<Kind, 'group' | 'version' | 'kind'>): void {
  const wanted = apiVersionOf(kind);
  const { apiVersion = wanted, kind: name = kind.kind } = object;
  if (apiVersion === wanted && name === kind.kind) return;
  const [version, group = ''] = String(apiVersion).split('/').reverse();
  const known = kindOf(group, name)?.version === version;
  const hub = kind.group.split('.')[0] || 'core';
  const why = known
    ? `converting (${version}.${name}) to (${hub}.${kind.kind}): unknown conversion`
    : `no kind "${name}" is registered for version "${apiVersion}" in scheme "pkg/runtime/scheme.go:111"`;
  throw badRequest(`${name} in version "${version}" cannot be handled as a ${kind.kind}: ${why}`);
}

/** Go's types know no null where a field is left out. */
export const withoutNulls = (value: Obj): Obj => {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, part]) => part !== null)
      .map(([key, part]) => [key, withoutNulls(part)]),
  );
};
