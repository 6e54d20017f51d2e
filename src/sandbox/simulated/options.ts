import { badRequest, invalid } from '../shared/failure.ts';
import { required } from './faults.ts';

/** The options of a create, update or patch. */
export interface WriteOptions {
  readonly dryRun: boolean;
  readonly fieldManager: string;
  readonly force: boolean;
}

/**
 * Reads the options of a write from its query
 * (k8s.io/apimachinery/pkg/apis/meta/v1/validation/validation.go).
 * @param apply - whether it is a server-side apply, which needs a fieldManager
 * @throws ApiFailure 400, 422
 */
export function writeOptions({ searchParams }: URL, userAgent = '', apply = false): WriteOptions {
  const manager = searchParams.get('fieldManager') ?? '';
  if (apply && manager === '')
    throw invalid({ group: 'meta.k8s.io', kind: 'PatchOptions' }, '', [required('fieldManager', 'is required for apply patch')]);
  return {
    dryRun: isDryRun(searchParams.getAll('dryRun')),
    // k8s.io/apiserver/pkg/endpoints/handlers/create.go, managerOrUserAgent
    fieldManager: manager || (userAgent.split('/')[0] ?? '').slice(0, 128) || 'unknown',
    force: searchParams.get('force') === 'true',
  };
}

function isDryRun(values: readonly string[]): boolean {
  if (values.some((each) => each !== 'All')) throw badRequest('dryRun: supported values: "All"');
  return values.length > 0;
}

/** The options of a delete. */
export interface DeleteOptions {
  readonly dryRun?: readonly string[];
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: string;
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
}

/** Merges the query and the body of a DELETE; the body wins. @throws ApiFailure 400 */
export function deleteOptions({ searchParams }: URL, body: DeleteOptions): DeleteOptions {
  const grace = searchParams.get('gracePeriodSeconds');
  const policy = searchParams.get('propagationPolicy');
  const options: DeleteOptions = {
    dryRun: searchParams.getAll('dryRun'),
    ...(grace === null ? {} : { gracePeriodSeconds: Number(grace) }),
    ...(policy === null ? {} : { propagationPolicy: policy }),
    ...body,
  };
  isDryRun(options.dryRun ?? []);
  return options;
}
