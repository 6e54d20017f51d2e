import { describe, expect, test } from 'vitest';
import { proveDead } from '../../../../src/operations/unregister/dead.ts';
import { answer, clusterOf, never, notFound } from '../../cluster/kube-api.ts';
import { withAvailable, withMetadata } from '../objects.ts';
import { rejection } from '../waiting.ts';

const alive = withAvailable('True', 'Passed', '');

/** Why an available APIService is not deleted. */
async function refusalOf(metadata: object) {
  const cluster = await clusterOf(({ url }, response) => answer(response, 404, notFound(url)));
  return rejection(proveDead(cluster, withMetadata(alive, metadata), never));
}

const release = { 'meta.helm.sh/release-name': 'api', 'meta.helm.sh/release-namespace': 'wardle' };

describe('an APIService of others that is available is refused', () => {
  test.each([
    [
      'Helm',
      { annotations: release },
      ', and Helm release api manages it',
      'To remove the API and its server: helm uninstall api -n wardle',
    ],
    [
      'Helm without a release',
      { labels: { 'app.kubernetes.io/managed-by': 'Helm' } },
      ', and Helm manages it',
      'To remove the API and its server, remove them from the Helm release.',
    ],
    [
      'Argo CD',
      { annotations: { 'argocd.argoproj.io/tracking-id': 'x' } },
      ', and Argo CD manages it',
      'To remove the API and its server, remove them from what Argo CD applies.',
    ],
    [
      'kubectl apply',
      { annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}' } },
      ', and "kubectl apply" manages it',
      'To remove the API and its server, delete its manifests: kubectl delete -f FILE',
    ],
    [
      'an operator',
      { ownerReferences: [{ kind: 'KedaController', name: 'keda' }] },
      ', and KedaController keda owns it',
      'To remove its server too, ask whoever installed it.',
    ],
    ['nobody known', {}, '', 'To remove its server too, ask whoever installed it.'],
  ])('with its owner: %s', async (_, metadata, owner, removal) => {
    expect(await refusalOf(metadata)).toMatchObject({
      exitCode: 1,
      message: `APIService v1.example.com is available, and was not created by apisvc: Service wardle/api serves it${owner}`,
      fix: `${removal}\nTo delete only the APIService, even if clients still use its API: kubectl delete apiservice v1.example.com`,
    });
  });
});
