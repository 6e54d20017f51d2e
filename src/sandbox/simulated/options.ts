import { badRequest } from '../shared/failure.ts';

/** The options of a create, update or patch. */
export interface WriteOptions {
  readonly dryRun: boolean;
  readonly fieldManager: string;
  readonly force: boolean;
}

/**
 * Reads the options of a write from its query
 * (k8s.io/apimachinery/pkg/apis/meta/v1/validation/validation.go).
 * @throws ApiFailure 400
 */
export function writeOptions({ searchParams }: URL, userAgent = ''): WriteOptions {
  return {
    dryRun: isDryRun(searchParams.getAll('dryRun')),
    // k8s.io/apiserver/pkg/endpoints/handlers/create.go, managerOrUserAgent
    fieldManager: searchParams.get('fieldManager') || (userAgent.split('/')[0] ?? '').slice(0, 128) || 'unknown',
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
