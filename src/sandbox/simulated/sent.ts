import { randomInt } from 'node:crypto';
import { ApiFailure, badRequest } from '../shared/failure.ts';
import { apiVersionOf } from './kinds.ts';
import type { WriteOptions } from './options.ts';
import type { Call, Kind, Obj } from './types.ts';

// What is checked of an object that a client sent before anything is done with it.

const cannotBeHandled = (kind: Kind, why: string): ApiFailure =>
  badRequest(`${kind.kind} in version "${kind.version}" cannot be handled as a ${kind.kind}: ${why}`);

const isText = (value: unknown): boolean => typeof value === 'string';
const isTextMap = (value: unknown): boolean =>
  typeof value === 'object' && !Array.isArray(value) && Object.values(value as object).every(isText);
const isList = (value: unknown): boolean => Array.isArray(value) && value.every((each) => typeof each === 'object');
const metadataTypes: Readonly<Record<string, (value: unknown) => boolean>> = {
  name: isText,
  generateName: isText,
  namespace: isText,
  uid: isText,
  resourceVersion: isText,
  labels: isTextMap,
  annotations: isTextMap,
  finalizers: (value) => Array.isArray(value) && value.every(isText),
  ownerReferences: isList,
  managedFields: isList,
};

/**
 * Puts the object in the place that the path names.
 * @param mustHaveName - without it, an object without a name gets that of the path, or one made
 * from generateName
 * @throws ApiFailure 400 when the object says that it belongs elsewhere, or its metadata is no
 * metadata
 */
export function placed(kind: Kind, { info }: Pick<Call, 'info'>, object: Obj, mustHaveName: boolean): Obj {
  const { metadata = {} } = object;
  if (typeof metadata !== 'object' || Array.isArray(metadata)) throw cannotBeHandled(kind, 'metadata is of another type');
  for (const [field, fits] of Object.entries(metadataTypes)) {
    if (metadata[field] !== undefined && !fits(metadata[field])) throw cannotBeHandled(kind, `metadata.${field} is of another type`);
  }
  const { name, generateName, namespace, ...rest } = metadata;
  if (!name && mustHaveName)
    throw badRequest(`the name of the object (${info.name} based on URL) was undeterminable: name must be provided`);
  if (name && info.name && name !== info.name)
    throw badRequest(`the name of the object (${name}) does not match the name on the URL (${info.name})`);
  if (kind.namespaced && namespace && namespace !== info.namespace)
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  const given = name || info.name || (generateName ? generateName.slice(0, 58) + suffix() : '');
  return {
    ...object,
    metadata: {
      ...rest,
      name: given,
      ...(generateName ? { generateName } : {}),
      ...(kind.namespaced ? { namespace: info.namespace } : {}),
    },
  };
}

/** Letters and digits that make no words (k8s.io/apimachinery/pkg/util/rand/rand.go). */
const alphanums = 'bcdfghjklmnpqrstvwxz2456789';
const suffix = (): string => Array.from({ length: 5 }, () => alphanums[randomInt(alphanums.length)]).join('');

/** Fields of an object, at its top, that its kind does not have. */
const unknownFields = ({ fields = ['spec', 'status'] }: Kind, object: Obj): string[] =>
  Object.keys(object).filter((field) => !['apiVersion', 'kind', 'metadata', ...fields].includes(field));

/**
 * Leaves out the fields that the kind does not have. Only those at the top are known here.
 * @throws ApiFailure 400 when there are any and they are to be refused
 */
export function withKnownFields(
  kind: Kind,
  { response }: Pick<Call, 'response'>,
  object: Obj,
  { unknownFields: policy }: WriteOptions,
): Obj {
  const unknown = unknownFields(kind, object);
  const words = unknown.map((field) => `unknown field "${field}"`);
  if (policy === 'Strict' && unknown.length > 0) throw cannotBeHandled(kind, `strict decoding error: ${words.join(', ')}`);
  if (policy === 'Warn' && unknown.length > 0)
    response.setHeader(
      'warning',
      words.map((each) => `299 - ${JSON.stringify(each)}`),
    );
  return Object.fromEntries(Object.entries(object).filter(([field]) => !unknown.includes(field)));
}

/**
 * Server-side apply takes no unknown field at all.
 * @throws ApiFailure 500, as kube-apiserver answers there
 */
export function refuseUnknownFields(kind: Kind, object: Obj): void {
  const words = unknownFields(kind, object).map((field) => `.${field}: field not declared in schema`);
  if (words.length === 0) return;
  const { namespace = '', name = '' } = object.metadata ?? {};
  const version = kind.group === '' ? `/${kind.version}` : apiVersionOf(kind);
  const list = words.length === 1 ? words[0] : ['errors:', ...words.map((each) => `  ${each}`)].join('\n');
  throw new ApiFailure(500, '', `failed to create typed patch object (${namespace}/${name}; ${version}, Kind=${kind.kind}): ${list}`);
}
