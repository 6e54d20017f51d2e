import { Unreachable, wasRefused } from '../../cluster/faults.ts';
import { listPages, refOf } from '../../cluster/objects.ts';
import { describeRef, type Resource, resourceName, resources } from '../../cluster/resources.ts';
import { RefusedError } from '../../errors.ts';
import type { KubeObject } from '../../manifests/types.ts';
import { type Json, listOf, textOf } from '../../snapshot/views.ts';
import { bundleCommand } from './bundle-command.ts';
import { accepts } from './bundles.ts';
import { whileValid } from './clock.ts';
import { followsSecret, injectingAnnotation } from './injection.ts';
import { hasSecret, readSecret, secretRef } from './live.ts';
import { hostOf, type Rotation, serviceOf, wordsOf } from './rotation.ts';

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
 * one. A certificate that has expired is judged by the time when it was valid.
 */
export function breaks(object: KubeObject, rotation: Pick<Rotation, 'from' | 'to' | 'registration' | 'now'>): boolean {
  const { namespace, name } = serviceOf(rotation);
  const { from, to, now } = rotation;
  if (!from) return false;
  return clientsOf(object).some(({ service, caBundle }) => {
    if (service?.namespace !== namespace || service.name !== name) return false;
    const client = { caBundle: textOf(caBundle) };
    const trusts = (set: typeof to): boolean => accepts(client, set, hostOf(rotation), whileValid(set, now)());
    return trusts(from) && !trusts(to);
  });
}

/** What a look at one kind found: the objects that break, or why they could not be looked at. */
type Found = { readonly breaking: readonly KubeObject[] } | { readonly notListed: 'forbidden' | 'timed out' };

/**
 * Finds webhooks of the Service that would reject the new certificate. apisvc does not change them.
 * @returns undefined where there are none. What could not be listed is reported once
 */
export function webhookCheck(rotation: Rotation): () => Promise<RefusedError | undefined> {
  const noted = new Set<string>();
  const note = (what: string): void => {
    if (!noted.has(what)) rotation.onProgress({ kind: 'note', what });
    noted.add(what);
  };
  return async () => {
    const found = await Promise.all(callers.map((resource) => look(rotation, resource)));
    const notListed = found.flatMap((each, index) =>
      'notListed' in each ? [{ resource: callers[index] as Resource, why: each.notListed }] : [],
    );
    if (notListed.length > 0) note(notChecked(rotation, notListed));
    const breaking = found.flatMap((each) => ('breaking' in each ? each.breaking : []));
    const following = await followersOf(rotation, breaking);
    for (const each of following) note(copied(rotation, each));
    const conflicts = breaking.filter((each) => !following.includes(each));
    return conflicts.length === 0 ? undefined : rejecting(rotation, conflicts);
  };
}

async function look(rotation: Rotation, resource: Resource): Promise<Found> {
  const breaking: KubeObject[] = [];
  try {
    for await (const page of listPages(rotation.cluster, { resource }, rotation.signal)) {
      breaking.push(...page.filter((each) => breaks(each, rotation)));
    }
  } catch (error) {
    if (wasRefused(error)) return { notListed: 'forbidden' };
    // A cluster with very many of them never answers in time, so that waiting does not help.
    if (error instanceof Unreachable && error.timedOut) return { notListed: 'timed out' };
    throw error;
  }
  return { breaking };
}

/** The objects whose caBundles follow the Secret that the rotation writes. */
async function followersOf(rotation: Rotation, objects: readonly KubeObject[]): Promise<readonly KubeObject[]> {
  if (!hasSecret(rotation) || !objects.some(injectingAnnotation)) return [];
  const secret = await readSecret(rotation);
  return objects.filter((each) => followsSecret(each, secret));
}

const nameOf = (object: KubeObject): string => describeRef(refOf(object));

/** The Secret gets both CAs before a pod reads it, and keeps both until no pod needs the other. */
function copied(rotation: Rotation, object: KubeObject): string {
  const { namespace, name } = secretRef(rotation);
  return `${nameOf(object)}: cert-manager copies its caBundle from Secret ${namespace}/${name}, which gets both CAs with the ${wordsOf(rotation).to} certificate`;
}

function notChecked(rotation: Rotation, kinds: readonly { readonly resource: Resource; readonly why: string }[]): string {
  const { namespace, name } = serviceOf(rotation);
  const reasons = kinds.map(({ resource, why }) => `list ${resourceName(resource)}: ${why}`);
  return `not checked: whether webhooks of Service ${namespace}/${name} accept the ${wordsOf(rotation).to} certificate (${reasons.join('; ')})`;
}

function rejecting(rotation: Rotation, objects: readonly KubeObject[]): RefusedError {
  const { namespace, name } = serviceOf(rotation);
  const { from: left, to: added } = wordsOf(rotation);
  const names = objects.map(nameOf);
  // A controller would overwrite what is edited.
  const injected = objects.flatMap((each) => {
    const annotation = injectingAnnotation(each);
    return annotation === undefined ? [] : `kubectl annotate ${nameOf(each)} ${annotation}-`;
  });
  return new RefusedError(
    `webhooks of Service ${namespace}/${name} accept the ${left} certificate, but their caBundle rejects the ${added} one: ${names.join(', ')}`,
    {
      fix: [
        ...(injected.length === 0 ? [] : ['Stop the controllers that write these caBundles, or let them add the CA:', ...injected]),
        `Add the ${added} CA to the caBundle of each of these webhooks, and run the same command again.`,
        `The value of caBundle: ${bundleCommand(rotation)}`,
        ...names.map((each) => `kubectl edit ${each}`),
      ].join('\n'),
    },
  );
}
