import { wasRefused } from '../../cluster/faults.ts';
import { listPages } from '../../cluster/objects.ts';
import { describeRef, type Resource, resourceName, resources } from '../../cluster/resources.ts';
import { RefusedError } from '../../errors.ts';
import type { KubeObject } from '../../manifests/types.ts';
import { type Json, listOf, textOf } from '../../snapshot/views.ts';
import { bundleCommand } from './bundle-command.ts';
import { trustsAny, untrusted } from './bundles.ts';
import { type Rotation, serviceOf } from './rotation.ts';

/** The other kinds by which kube-apiserver calls a Service and verifies it by a caBundle. */
const callers: readonly Resource[] = [
  resources.ValidatingWebhookConfiguration,
  resources.MutatingWebhookConfiguration,
  resources.CustomResourceDefinition,
];

/** The webhooks of an object, of admission or of the conversion of custom resources. */
const clientsOf = ({ webhooks, spec }: KubeObject & Json): readonly Json[] =>
  [...listOf(webhooks), spec?.conversion?.webhook ?? {}].flatMap(({ clientConfig }) => clientConfig ?? []);

/**
 * Whether a webhook would reject the certificate that the rotation brings, and accepts the other
 * one.
 */
export function breaks(object: KubeObject, rotation: Pick<Rotation, 'from' | 'to' | 'registration'>): boolean {
  const { namespace, name } = serviceOf(rotation);
  const { from, to } = rotation;
  return clientsOf(object).some(({ service, caBundle }) => {
    if (service?.namespace !== namespace || service.name !== name) return false;
    const bundle = { caBundle: textOf(caBundle) };
    return trustsAny(bundle, from?.anchors ?? []) && untrusted(bundle, to.anchors).length > 0;
  });
}

/**
 * Finds webhooks of the Service that trust only the CA that is left. apisvc does not change them.
 * @returns undefined where there are none. What may not be listed is reported once.
 */
export function webhookCheck(rotation: Rotation): () => Promise<RefusedError | undefined> {
  const { cluster, signal, onProgress, direction } = rotation;
  const breaking = async (resource: Resource): Promise<readonly string[] | 'forbidden'> => {
    const names: string[] = [];
    try {
      for await (const page of listPages(cluster, { resource }, signal)) {
        const found = page.filter((each) => breaks(each, rotation));
        names.push(...found.map(({ metadata: { name } }) => describeRef({ resource, namespace: undefined, name })));
      }
    } catch (error) {
      if (wasRefused(error)) return 'forbidden';
      throw error;
    }
    return names;
  };
  let reported = false;
  return async () => {
    const results = await Promise.all(callers.map(breaking));
    const forbidden = callers.filter((_, index) => results[index] === 'forbidden').map(resourceName);
    if (forbidden.length > 0 && !reported) {
      onProgress({ kind: 'note', what: `not checked: whether webhooks trust only the CA that is replaced (list ${forbidden.join(', ')})` });
    }
    reported = true;
    const names = results.flatMap((result) => (result === 'forbidden' ? [] : result));
    if (names.length === 0) return undefined;
    const { namespace, name } = serviceOf(rotation);
    const [left, added] = direction === 'forward' ? ['old', 'new'] : ['new', 'old'];
    return new RefusedError(
      `webhooks of Service ${namespace}/${name} trust only the ${left} CA by their own caBundle: ${names.join(', ')}`,
      {
        fix: [
          `Add the ${added} CA to the caBundle of each of these webhooks, and run the same command again.`,
          `The value of caBundle: ${bundleCommand(rotation)}`,
          ...names.map((each) => `kubectl edit ${each}`),
        ].join('\n'),
      },
    );
  };
}
