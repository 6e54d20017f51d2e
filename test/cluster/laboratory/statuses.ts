import { kubectlOk } from '../harness/projects.ts';

const patchStatus = (apiService: string, patch: object) =>
  kubectlOk(['patch', 'apiservice', apiService, '--subresource=status', '--type=json', '-p', JSON.stringify(patch)]);

/**
 * Sets the condition to True since ten minutes ago, for checks that give kube-apiserver time.
 * kube-apiserver keeps the time while the status does not change
 * (k8s.io/kube-aggregator/pkg/apis/apiregistration/v1/helper, SetAPIServiceCondition).
 */
export function longAvailable(apiService: string): Promise<unknown> {
  const since = new Date(Date.now() - 600_000).toISOString().replace(/\.\d+/, '');
  return patchStatus(apiService, [{ op: 'replace', path: '/status/conditions/0/lastTransitionTime', value: since }]);
}

/** Overwrites the Available condition of an APIService. */
export const writeCondition = (
  apiService: string,
  condition: Readonly<Record<'status' | 'reason' | 'message', string>>,
): Promise<unknown> =>
  patchStatus(apiService, [
    { op: 'add', path: '/status/conditions', value: [{ type: 'Available', lastTransitionTime: '2026-01-01T00:00:00Z', ...condition }] },
  ]);
