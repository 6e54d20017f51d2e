import { notSimulated } from '../shared/failure.ts';
import type { Kind, Obj } from './types.ts';

/**
 * The messages that client-go sends (k8s.io/api and k8s.io/apimachinery, generated.proto). Fields
 * are in the order of their numbers; `-` is ignored. A type follows a colon, otherwise it is a
 * string; `[]` is repeated; `=` keeps an empty value, which is meant.
 */
const messages: Readonly<Record<string, string>> = {
  BoundObjectReference: 'kind apiVersion name uid',
  ClusterRole: 'metadata:ObjectMeta rules:PolicyRule[]',
  ClusterRoleBinding: 'metadata:ObjectMeta subjects:Subject[] roleRef:RoleRef',
  ConfigMap: 'metadata:ObjectMeta data:map binaryData:map/bytes immutable:bool=',
  DeleteOptions: 'gracePeriodSeconds:int= preconditions:Preconditions orphanDependents:bool= propagationPolicy dryRun[]',
  'Event/':
    'metadata:ObjectMeta involvedObject:ObjectReference reason message source:EventSource firstTimestamp:Time lastTimestamp:Time count:int type eventTime:MicroTime series:EventSeries action related:ObjectReference reportingComponent reportingInstance',
  'Event/events.k8s.io':
    'metadata:ObjectMeta eventTime:MicroTime series:EventSeries reportingController reportingInstance action reason regarding:ObjectReference related:ObjectReference note type deprecatedSource:EventSource deprecatedFirstTimestamp:Time deprecatedLastTimestamp:Time deprecatedCount:int',
  EventSeries: 'count:int lastObservedTime:MicroTime',
  EventSource: 'component host',
  Lease: 'metadata:ObjectMeta spec:LeaseSpec',
  LeaseSpec:
    'holderIdentity= leaseDurationSeconds:int= acquireTime:MicroTime renewTime:MicroTime leaseTransitions:int= strategy preferredHolder',
  LocalObjectReference: 'name',
  Namespace: 'metadata:ObjectMeta',
  NonResourceAttributes: 'path verb',
  ObjectMeta:
    'name generateName namespace - uid resourceVersion - - - - labels:map annotations:map ownerReferences:OwnerReference[] finalizers[]',
  ObjectReference: 'kind namespace name uid apiVersion resourceVersion fieldPath',
  OwnerReference: 'kind - name uid apiVersion controller:bool= blockOwnerDeletion:bool=',
  PolicyRule: 'verbs[] apiGroups[] resources[] resourceNames[] nonResourceURLs[]',
  Preconditions: 'uid resourceVersion',
  ResourceAttributes: 'namespace verb group version resource subresource name',
  Role: 'metadata:ObjectMeta rules:PolicyRule[]',
  RoleBinding: 'metadata:ObjectMeta subjects:Subject[] roleRef:RoleRef',
  RoleRef: 'apiGroup kind name',
  Secret: 'metadata:ObjectMeta data:map/bytes type stringData:map immutable:bool=',
  SelfSubjectAccessReview: 'metadata:ObjectMeta spec:SelfSubjectAccessReviewSpec',
  SelfSubjectAccessReviewSpec: 'resourceAttributes:ResourceAttributes nonResourceAttributes:NonResourceAttributes',
  SelfSubjectReview: 'metadata:ObjectMeta',
  ServiceAccount:
    'metadata:ObjectMeta secrets:ObjectReference[] imagePullSecrets:LocalObjectReference[] automountServiceAccountToken:bool=',
  Subject: 'kind apiGroup name namespace',
  SubjectAccessReview: 'metadata:ObjectMeta spec:SubjectAccessReviewSpec',
  SubjectAccessReviewSpec: 'resourceAttributes:ResourceAttributes nonResourceAttributes:NonResourceAttributes user groups[] - uid',
  TokenRequest: 'metadata:ObjectMeta spec:TokenRequestSpec',
  TokenRequestSpec: 'audiences[] - boundObjectRef:BoundObjectReference expirationSeconds:int=',
  TokenReview: 'metadata:ObjectMeta spec:TokenReviewSpec',
  TokenReviewSpec: 'token audiences[]',
  TypeMeta: 'apiVersion kind',
  Unknown: 'typeMeta:TypeMeta raw:bytes',
};

const magic = 'k8s\0';

/**
 * Decodes an object as Go's typed clients send it, and kubectl in `create namespace` and `auth
 * can-i` (k8s.io/apimachinery/pkg/runtime/serializer/protobuf).
 * @returns the object as in JSON
 * @throws RangeError for other bytes; ApiFailure 501 for an unknown kind
 */
export function readProtobuf(body: Buffer, { group }: Pick<Kind, 'group'>): Obj {
  if (body.subarray(0, 4).toString('latin1') !== magic)
    throw new RangeError('provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]');
  const { typeMeta = {}, raw = '' } = read(body.subarray(4), 'Unknown');
  const message = `${typeMeta.kind}/${group}` in messages ? `${typeMeta.kind}/${group}` : typeMeta.kind;
  if (!(message in messages)) throw notSimulated(`Objects of kind ${typeMeta.kind} in protobuf (kubectl create -f sends JSON)`);
  return { apiVersion: typeMeta.apiVersion, kind: typeMeta.kind, ...read(Buffer.from(raw, 'base64'), message) };
}

/** Protobuf contains empty required fields, JSON does not. */
const isEmpty = (value: unknown): boolean =>
  value === '' || value === 0 || value === false || (typeof value === 'object' && Object.keys(value as object).length === 0);

function read(bytes: Buffer, message: string): Obj {
  const fields = (messages[message] ?? '').split(' ');
  const object: Obj = {};
  for (const [number, value] of fieldsOf(bytes)) {
    const [, name = '-', type = 'string', many, said] = /^([^:[=]+)(?::([^[=]+))?(\[\])?(=)?$/.exec(fields[number - 1] ?? '-') ?? [];
    if (name === '-') continue;
    const held = decoded(value, type);
    if (type.startsWith('map')) object[name] = { ...object[name], ...held };
    else if (many) object[name] = [...(object[name] ?? []), held];
    else if (said || !isEmpty(held)) object[name] = held;
  }
  return object;
}

function decoded(value: Buffer | number, type: string): Obj {
  const isNumber = type === 'bool' || type === 'int';
  if (isNumber !== (typeof value === 'number')) throw new RangeError(`wrong wireType = ${isNumber ? 2 : 0}`);
  if (typeof value === 'number') return type === 'bool' ? value !== 0 : value;
  if (type === 'string') return value.toString('utf8');
  if (type === 'bytes') return value.toString('base64');
  if (type === 'Time' || type === 'MicroTime') return timeOf(value, type);
  if (!type.startsWith('map')) return read(value, type);
  const entry = new Map(fieldsOf(value));
  const [key = Buffer.of(), held = Buffer.of()] = [entry.get(1), entry.get(2)];
  return { [String(key)]: decoded(held, type === 'map' ? 'string' : 'bytes') };
}

/** Empty for a time that is not set. */
function timeOf(value: Buffer, type: 'Time' | 'MicroTime'): string {
  const parts = new Map(fieldsOf(value));
  const seconds = parts.get(1);
  if (typeof seconds !== 'number') return '';
  const whole = new Date(seconds * 1000).toISOString().slice(0, 19);
  return type === 'Time' ? `${whole}Z` : `${whole}.${String(Math.floor(Number(parts.get(2) ?? 0) / 1000)).padStart(6, '0')}Z`;
}

/** The wire format (protobuf.dev, Encoding): a key, and a number or so many bytes. */
function fieldsOf(bytes: Buffer): [number: number, value: Buffer | number][] {
  const found: [number, Buffer | number][] = [];
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; at < bytes.length; scale *= 128) {
      const byte = bytes[at++] ?? 0;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
    throw new RangeError('unexpected EOF');
  };
  while (at < bytes.length) {
    const key = varint();
    const wireType = key & 7;
    if (wireType !== 0 && wireType !== 2) throw new RangeError(`illegal wireType ${wireType}`);
    const number = varint();
    if (wireType === 2 && at + number > bytes.length) throw new RangeError('unexpected EOF');
    found.push([Math.floor(key / 8), wireType === 0 ? number : bytes.subarray(at, at + number)]);
    if (wireType === 2) at += number;
  }
  return found;
}
