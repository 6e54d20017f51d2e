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
import { type CertificateSet, hostOf, type Rotation, serviceOf, wordsOf } from './rotation.ts';

/** The other kinds by which kube-apiserver calls a Service and verifies it by a caBundle. */
const callers: readonly Resource[] = [
  resources.ValidatingWebhookConfiguration,
  resources.MutatingWebhookConfiguration,
  resources.CustomResourceDefinition,
];

/** The webhooks of an object, of admission or of the conversion of custom resources. */
const clientsOf = ({ webhooks, spec }: KubeObject & Json): readonly Json[] =>
  [...listOf(webhooks), spec?.conversion?.webhook ?? {}].flatMap(({ clientConfig }) => clientConfig ?? []);

/** The webhooks of an object that kube-apiserver calls by the Service. */
export function clientsByService(object: KubeObject, rotation: Pick<Rotation, 'registration'>): readonly Json[] {
  const { namespace, name } = serviceOf(rotation);
  return clientsOf(object).filter(({ service }) => service?.namespace === namespace && service.name === name);
}

/**
 * Whether a webhook would reject the certificate that the rotation brings, and accepts the other
 * one. A certificate that has expired is judged by the time when it was valid. Without the other
 * one, it cannot be told, so that `webhookCheck` reports it.
 */
export function breaks(object: KubeObject, rotation: Pick<Rotation, 'from' | 'to' | 'registration' | 'now'>): boolean {
  const { from, to, now } = rotation;
  if (!from || !isKnown(from)) return false;
  return clientsByService(object, rotation).some(({ caBundle }) => {
    const client = { caBundle: textOf(caBundle) };
    const trusts = (set: typeof to): boolean => accepts(client, set, hostOf(rotation), whileValid(set, now)());
    return trusts(from) && !trusts(to);
  });
}

/** The way back may know no more of the certificate than its fingerprint. */
const isKnown = ({ presented }: CertificateSet): boolean => presented.length > 0;

/** The webhooks of the Service. */
export interface Webhooks {
  /** Those whose caBundles cert-manager copies from the Secret that the rotation writes. */
  readonly copies: readonly KubeObject[];
  /** The refusal, where others would reject the certificate. apisvc does not change them. */
  readonly conflict: RefusedError | undefined;
}

/** What a look at one kind found: the objects that call the Service, or why it could not look. */
type Found = { readonly calling: readonly KubeObject[] } | { readonly notListed: 'forbidden' | 'timed out' };

/** Looks at the webhooks of the Service. What cannot be checked is reported once. */
export function webhookCheck(rotation: Rotation): () => Promise<Webhooks> {
  const noted = new Set<string>();
  const note = (what: string): void => {
    if (!noted.has(what)) rotation.onProgress({ kind: 'note', what });
    noted.add(what);
  };
  const slow = new Set<Resource>();
  return async () => {
    if (!rotation.from || !isKnown(rotation.from)) {
      note(notChecked(rotation, [`the ${wordsOf(rotation).from} certificate is not known`]));
      return { copies: [], conflict: undefined };
    }
    const { calling, notListed } = await lookAtCallers(rotation, slow);
    if (notListed.length > 0) note(notChecked(rotation, notListed));
    const copies = await followersOf(rotation, calling);
    const breaking = calling.filter((each) => breaks(each, rotation));
    for (const each of breaking) if (copies.includes(each)) note(copied(rotation, each));
    const conflicts = breaking.filter((each) => !copies.includes(each));
    return { copies, conflict: conflicts.length === 0 ? undefined : rejecting(rotation, conflicts) };
  };
}

type Where = Pick<Rotation, 'cluster' | 'signal' | 'registration'>;

/**
 * Finds what kube-apiserver calls by the Service of a project.
 * @param slow the kinds whose list timed out twice before
 * @returns the objects, and why some could not be listed
 */
export async function lookAtCallers(
  where: Where,
  slow = new Set<Resource>(),
): Promise<{ readonly calling: readonly KubeObject[]; readonly notListed: readonly string[] }> {
  const found = await Promise.all(callers.map((resource) => look(where, resource, slow)));
  return {
    calling: found.flatMap((each) => ('calling' in each ? each.calling : [])),
    notListed: found.flatMap((each, index) =>
      'notListed' in each ? [`list ${resourceName(callers[index] as Resource)}: ${each.notListed}`] : [],
    ),
  };
}

/** @param slow the kinds whose list timed out twice before, which get no second attempt again */
async function look(rotation: Where, resource: Resource, slow: Set<Resource>): Promise<Found> {
  for (let attempt = 1; ; attempt++) {
    try {
      return { calling: await listCalling(rotation, resource) };
    } catch (error) {
      if (wasRefused(error)) return { notListed: 'forbidden' };
      if (!(error instanceof Unreachable && error.timedOut)) throw error;
      if (attempt === 1 && !slow.has(resource)) continue;
      // A cluster with very many of them never answers in time, so that more waiting does not help.
      slow.add(resource);
      return { notListed: 'timed out' };
    }
  }
}

async function listCalling(rotation: Where, resource: Resource): Promise<readonly KubeObject[]> {
  const calling: KubeObject[] = [];
  for await (const page of listPages(rotation.cluster, { resource }, rotation.signal)) {
    calling.push(...page.filter((each) => clientsByService(each, rotation).length > 0));
  }
  return calling;
}

/** The objects whose caBundles follow the Secret that the rotation writes. */
async function followersOf(rotation: Rotation, objects: readonly KubeObject[]): Promise<readonly KubeObject[]> {
  if (!hasSecret(rotation) || !objects.some(injectingAnnotation)) return [];
  const secret = await readSecret(rotation);
  return objects.filter((each) => followsSecret(each, secret));
}

/** `kind/name`, for messages. */
export const nameOf = (object: KubeObject): string => describeRef(refOf(object));

/** The Secret gets both CAs before the certificate, and keeps both until no pod needs the other. */
function copied(rotation: Rotation, object: KubeObject): string {
  const { namespace, name } = secretRef(rotation);
  return `${nameOf(object)}: cert-manager copies its caBundle from Secret ${namespace}/${name}, to which both CAs are written before the ${wordsOf(rotation).to} certificate`;
}

function notChecked(rotation: Rotation, reasons: readonly string[]): string {
  const { namespace, name } = serviceOf(rotation);
  return `not checked: whether webhooks of Service ${namespace}/${name} accept the ${wordsOf(rotation).to} certificate (${reasons.join('; ')})`;
}

function rejecting(rotation: Rotation, objects: readonly KubeObject[]): RefusedError {
  const { namespace, name } = serviceOf(rotation);
  const { from: left, to: added } = wordsOf(rotation);
  const names = objects.map(nameOf);
  return new RefusedError(
    `webhooks of Service ${namespace}/${name} trust the ${left} certificate, but the ${added} one does not verify against their caBundle: ${names.join(', ')}`,
    {
      fix: [
        ...stopInjection(objects),
        `Add the ${added} CA to the caBundle of each of these webhooks, and run the same command again.`,
        `To print the value of caBundle: ${bundleCommand(rotation)}`,
        ...names.map((each) => `kubectl edit ${each}`),
      ].join('\n'),
    },
  );
}

/** What stops the controllers that would overwrite a caBundle that is edited. */
export function stopInjection(objects: readonly KubeObject[]): readonly string[] {
  const commands = objects.flatMap((each) => {
    const annotation = injectingAnnotation(each);
    return annotation === undefined ? [] : `kubectl annotate ${nameOf(each)} ${annotation}-`;
  });
  return commands.length === 0 ? [] : ['Stop the controllers that write these caBundles, or let them add the CA:', ...commands];
}
