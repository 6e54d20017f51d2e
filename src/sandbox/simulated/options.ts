import { badRequest, invalid } from '../shared/failure.ts';
import { forbiddenValue, required, unsupported, type Wrong, wrong } from './faults.ts';

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
 * @throws ApiFailure 422 in the words of
 * k8s.io/apimachinery/pkg/apis/meta/v1/validation/validation.go
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
  const faults: Wrong[] = [];
  if (kind === 'PatchOptions' && apply && manager === '') faults.push(required('fieldManager', 'is required for apply patch'));
  if (kind === 'PatchOptions' && !apply && searchParams.has('force'))
    faults.push(forbiddenValue('force', 'may not be specified for non-apply patch'));
  if (dryRun.some((each) => each !== 'All')) faults.push(unsupported('dryRun', dryRun, ['All']));
  if (!validations.includes(validation)) faults.push(unsupported('fieldValidation', validation, validations));
  refuse(kind, faults);
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

/**
 * Puts together what the query and the body of a DELETE say; the body wins.
 * @throws ApiFailure 422
 */
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
  const faults: Wrong[] = [];
  if (propagationPolicy !== undefined && orphanDependents !== undefined) {
    faults.push(wrong('propagationPolicy', propagationPolicy, 'orphanDependents and deletionPropagation cannot be both set'));
  } else if (propagationPolicy !== undefined && !policies.slice(0, 3).includes(propagationPolicy)) {
    faults.push(unsupported('propagationPolicy', propagationPolicy, policies));
  }
  if (dryRun.some((each) => each !== 'All')) faults.push(unsupported('dryRun', dryRun, ['All']));
  refuse('DeleteOptions', faults);
  return options;
}

/** Checks the numbers in what a list or a watch asks for. @throws ApiFailure 400 */
export function checkListOptions({ searchParams }: URL): void {
  for (const name of ['limit', 'timeoutSeconds']) {
    const number = searchParams.get(name) ?? '0';
    if (!/^-?\d+$/.test(number)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(number)}: invalid syntax`);
  }
}

function refuse(kind: string, faults: readonly Wrong[]): void {
  if (faults.length > 0) throw invalid({ group: 'meta.k8s.io', kind }, '', faults);
}
