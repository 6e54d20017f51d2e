import { badRequest, type Cause, invalid } from './failure.ts';

type Wrong = Cause & { readonly field: string };

const required = (field: string, message: string): Wrong => ({
  reason: 'FieldValueRequired',
  message: `Required value: ${message}`,
  field,
});
const forbidden = (field: string, message: string): Wrong => ({ reason: 'FieldValueForbidden', message: `Forbidden: ${message}`, field });
const unsupported = (field: string, value: string, supported: readonly string[]): Wrong => ({
  reason: 'FieldValueNotSupported',
  message: `Unsupported value: ${value}: supported values: ${supported.map((each) => `"${each}"`).join(', ')}`,
  field,
});

/** How a write is to be done. */
export interface WriteOptions {
  readonly dryRun: boolean;
  readonly fieldManager: string;
  readonly force: boolean;
  /** What becomes of fields that the kind does not have. */
  readonly unknownFields: 'Ignore' | 'Warn' | 'Strict';
}

const validations = ['', 'Ignore', 'Strict', 'Warn'];

/**
 * Reads the options of a write from its query.
 * @param kind - the name of the options for messages: CreateOptions, UpdateOptions or PatchOptions
 * @throws ApiFailure 422 in the words of k8s.io/apimachinery/pkg/apis/meta/v1/validation/validation.go
 */
export function writeOptions(
  kind: 'CreateOptions' | 'UpdateOptions' | 'PatchOptions',
  { searchParams }: URL,
  userAgent = '',
  apply = false,
): WriteOptions {
  const dryRun = searchParams.getAll('dryRun');
  const validation = searchParams.get('fieldValidation') ?? '';
  const manager = searchParams.get('fieldManager') ?? '';
  const odd = /[^\P{C}]/u.exec(manager);
  const wrong: Wrong[] = [];
  if (kind === 'PatchOptions' && apply && manager === '') wrong.push(required('fieldManager', 'is required for apply patch'));
  if (kind === 'PatchOptions' && !apply && searchParams.has('force'))
    wrong.push(forbidden('force', 'may not be specified for non-apply patch'));
  if (Buffer.byteLength(manager) > 128)
    wrong.push({ reason: 'FieldValueTooLong', message: 'Too long: may not be more than 128 bytes', field: 'fieldManager' });
  if (odd) {
    const code = odd[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');
    wrong.push({
      reason: 'FieldValueInvalid',
      message: `Invalid value: ${JSON.stringify(manager)}: invalid character U+${code} (at position ${odd.index})`,
      field: 'fieldManager',
    });
  }
  if (dryRun.some((each) => each !== 'All')) wrong.push(unsupported('dryRun', JSON.stringify(dryRun), ['All']));
  if (!validations.includes(validation)) wrong.push(unsupported('fieldValidation', `"${validation}"`, validations));
  refuse(kind, wrong);
  return {
    dryRun: dryRun.length > 0,
    // k8s.io/apiserver/pkg/endpoints/handlers/create.go, managerOrUserAgent
    fieldManager: manager || (userAgent.split('/')[0] ?? '').slice(0, 128) || 'unknown',
    force: searchParams.get('force') === 'true',
    unknownFields: (validation || 'Warn') as WriteOptions['unknownFields'],
  };
}

/** How an object is to be deleted. */
export interface DeleteOptions {
  readonly dryRun?: readonly string[];
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: string;
  readonly orphanDependents?: boolean;
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
}

/** Puts together what the query and the body of a DELETE say; the body wins. @throws ApiFailure 422 */
export function deleteOptions({ searchParams }: URL, body: DeleteOptions): DeleteOptions {
  const grace = searchParams.get('gracePeriodSeconds');
  const policy = searchParams.get('propagationPolicy');
  const options: DeleteOptions = {
    ...(searchParams.has('dryRun') ? { dryRun: searchParams.getAll('dryRun') } : {}),
    ...(grace === null ? {} : { gracePeriodSeconds: Number(grace) }),
    ...(policy === null ? {} : { propagationPolicy: policy }),
    ...(searchParams.has('orphanDependents') ? { orphanDependents: searchParams.get('orphanDependents') === 'true' } : {}),
    ...body,
  };
  const { propagationPolicy, orphanDependents, dryRun = [] } = options;
  const policies = ['Foreground', 'Background', 'Orphan', 'nil'];
  const wrong: Wrong[] = [];
  if (propagationPolicy !== undefined && orphanDependents !== undefined) {
    wrong.push({
      reason: 'FieldValueInvalid',
      message: `Invalid value: "${propagationPolicy}": orphanDependents and deletionPropagation cannot be both set`,
      field: 'propagationPolicy',
    });
  } else if (propagationPolicy !== undefined && !policies.slice(0, 3).includes(propagationPolicy)) {
    wrong.push(unsupported('propagationPolicy', `"${propagationPolicy}"`, policies));
  }
  if (dryRun.some((each) => each !== 'All')) wrong.push(unsupported('dryRun', JSON.stringify(dryRun), ['All']));
  refuse('DeleteOptions', wrong);
  return options;
}

/**
 * Checks what a list or a watch asks for.
 * @throws ApiFailure 400 or 422 (k8s.io/apimachinery/pkg/apis/meta/internalversion/validation/validation.go)
 */
export function checkListOptions({ searchParams }: URL, watch: boolean): void {
  const match = searchParams.get('resourceVersionMatch') ?? '';
  const initial = searchParams.has('sendInitialEvents');
  const limit = searchParams.get('limit') ?? '0';
  const field = 'resourceVersionMatch';
  for (const number of [limit, searchParams.get('timeoutSeconds') ?? '0']) {
    if (!/^-?\d+$/.test(number)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(number)}: invalid syntax`);
  }
  const wrong: Wrong[] = [];
  if (match !== '' && watch && !initial)
    wrong.push(forbidden(field, 'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided'));
  if (match !== '' && !watch) {
    if (!searchParams.get('resourceVersion'))
      wrong.push(forbidden(field, 'resourceVersionMatch is forbidden unless resourceVersion is provided'));
    if (match === 'Exact' && searchParams.get('resourceVersion') === '0')
      wrong.push(forbidden(field, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'));
    if (!['Exact', 'NotOlderThan'].includes(match)) wrong.push(unsupported(field, `"${match}"`, ['Exact', 'NotOlderThan', '']));
  }
  if (initial && !watch) wrong.push(forbidden('sendInitialEvents', 'sendInitialEvents is forbidden for list'));
  if (initial && watch && match !== 'NotOlderThan')
    wrong.push(forbidden(field, 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'));
  refuse('ListOptions', wrong);
}

function refuse(kind: string, wrong: readonly Wrong[]): void {
  if (wrong.length > 0) throw invalid({ group: 'meta.k8s.io', kind }, '', wrong);
}
