import { seen } from '../snapshot/observed.ts';
import type { ApiSnapshot, Source } from '../snapshot/types.ts';
import type { Finding, Verdict } from './types.ts';

interface Judged {
  readonly snapshot: ApiSnapshot;
  readonly source: Source['kind'];
  /** Whether something that decides was not checked. */
  readonly incomplete: boolean;
  readonly findings: readonly Finding[];
}

/**
 * The verdict for one API. `healthy` needs proof: a response through the aggregator. If RBAC
 * forbids that request, Available=True counts together with a trusted serving certificate. Alone it
 * does not: up to Kubernetes 1.35, it ignores the certificate. Files are healthy without errors.
 */
export function verdictOf({ snapshot, source, incomplete, findings }: Judged): Verdict {
  const { apiService, aggregated, probes } = snapshot;
  if (findings.some(({ severity }) => severity === 'error')) return 'broken';
  if (incomplete) return 'unknown';
  if (source === 'files' || seen(aggregated)?.status === 200) return 'healthy';
  const api = seen(apiService);
  const served = seen(probes)?.some(({ handshake }) => handshake.kind === 'served') ?? false;
  const proven = api?.service === undefined || served;
  const forbidden = aggregated.state === 'unseen' && aggregated.reason === 'forbidden';
  return forbidden && api?.available?.status === 'True' && proven ? 'healthy' : 'unknown';
}

/** The worst of several verdicts: broken, then unknown. */
export function worstOf(verdicts: readonly Verdict[]): Verdict {
  if (verdicts.includes('broken')) return 'broken';
  return verdicts.includes('unknown') ? 'unknown' : 'healthy';
}
