import { getObject, listObjects } from '../../cluster/objects.ts';
import { sendMergePatch } from '../../cluster/ownership.ts';
import { type ObjectRef, resources, subresources } from '../../cluster/resources.ts';
import { type Need, refusal } from '../../cluster/status.ts';
import { RefusedError } from '../../errors.ts';
import type { KubeObject } from '../../manifests/types.ts';
import { conditionsOf, isReady, newestRequestOf, refusalIn, revisionOf } from '../../snapshot/cert-manager-view.ts';
import { type Json, listOf, textOf } from '../../snapshot/views.ts';
import type { Rotation } from '../rotation/rotation.ts';
import { untilFresh } from '../wait.ts';

/** How cert-manager issues a Certificate (cert-manager.io/v1, types_certificate.go). */

type Where = Pick<Rotation, 'cluster' | 'signal' | 'now'>;

/** A Certificate of cert-manager. */
export const certificateRef = (namespace: string, name: string): ObjectRef => ({ resource: resources.Certificate, namespace, name });

const statusOf = (ref: ObjectRef): ObjectRef => ({ ...ref, resource: subresources.certificateStatus });

/** The permissions to have a Certificate renewed, and to see what becomes of it. */
export const issuanceNeeds = (ref: ObjectRef): readonly Need[] => [
  { verb: 'get', ref },
  { verb: 'patch', ref: statusOf(ref) },
  { verb: 'list', ref: { ...ref, resource: resources.CertificateRequest, name: '*' } },
];

/** How far an issuance is. */
export type Issuance =
  /** Nothing is going on. */
  | { readonly state: 'issued' }
  /** What it waits for. */
  | { readonly state: 'issuing'; readonly words: string }
  /** The reason and the message of cert-manager. It retries after an hour or more. */
  | { readonly state: 'failed'; readonly words: string };

/**
 * Reads how far cert-manager is with a Certificate.
 * @throws RefusedError where it does not exist
 */
export async function readIssuance(where: Where, ref: ObjectRef): Promise<Issuance> {
  const found = await readCertificate(where, ref);
  const conditions = conditionsOf(found);
  const issuing = conditions.find(({ type }) => type === 'Issuing');
  if (issuing?.status === 'True') return { state: 'issuing', words: await requestWords(where, found) };
  if (issuing && (found as Json).status?.lastFailureTime) return { state: 'failed', words: `${issuing.reason}: ${issuing.message}` };
  if (isReady(conditions)) return { state: 'issued' };
  const why = refusalIn(conditions);
  return { state: 'issuing', words: why ? `Ready=False (${why.reason}): ${why.message}` : 'no Ready condition yet' };
}

async function readCertificate({ cluster, signal }: Where, ref: ObjectRef): Promise<KubeObject> {
  const found = await getObject(cluster, ref, signal);
  if (found) return found;
  throw new RefusedError(`Certificate ${ref.namespace}/${ref.name} not found`, { fix: 'Create it: apisvc register' });
}

/** What the CertificateRequest of the issuance in progress waits for. */
async function requestWords({ cluster, signal }: Where, { metadata, status }: KubeObject & Json): Promise<string> {
  const { namespace = '', name } = metadata;
  const all = await listObjects(cluster, { resource: resources.CertificateRequest, namespace }, signal);
  const request = newestRequestOf(name, all);
  if (!request || revisionOf(request) <= Number(status?.revision ?? 0)) {
    return 'no CertificateRequest yet; the cert-manager controller may not be running';
  }
  const why = refusalIn(conditionsOf(request));
  const about = `CertificateRequest ${namespace}/${request.metadata.name}`;
  return why ? `${about}: ${why.type}=${why.status} (${why.reason}): ${why.message}` : `${about} is not approved or signed yet`;
}

/**
 * Asks cert-manager to issue a Certificate again, as `cmctl renew` does
 * (github.com/cert-manager/cmctl, pkg/renew). Does nothing while it is being issued.
 * @throws RefusedError where it does not exist; as `refusal`
 */
export function requestIssuance(where: Where, ref: ObjectRef): Promise<true> {
  const { cluster, signal, now } = where;
  return untilFresh(signal, async () => {
    const found: Json = await readCertificate(where, ref);
    const conditions = listOf(found.status?.conditions);
    if (conditions.some(({ type, status }) => type === 'Issuing' && status === 'True')) return true;
    const issuing = {
      type: 'Issuing',
      status: 'True',
      reason: 'ManuallyTriggered',
      message: 'Certificate re-issuance manually triggered',
      lastTransitionTime: startOf(now(), textOf(found.status?.lastFailureTime)),
      observedGeneration: found.metadata.generation,
    };
    const body = {
      metadata: { resourceVersion: textOf(found.metadata.resourceVersion) },
      status: { conditions: [...conditions.filter(({ type }) => type !== 'Issuing'), issuing] },
    };
    const answer = await sendMergePatch(cluster, statusOf(ref), body, signal);
    if (answer.status === 409) return undefined;
    if (answer.status !== 200) throw refusal(cluster, { verb: 'patch', ref: statusOf(ref) }, answer, new Date());
    return true;
  });
}

/**
 * When the issuance starts, in whole seconds. cert-manager deletes an earlier request that failed
 * only if that was in an earlier second (pkg/controller/certificates/requestmanager,
 * deleteCurrentFailedRequests).
 */
function startOf(now: Date, lastFailure: string): string {
  const second = Math.floor(now.getTime() / 1_000);
  const afterFailure = lastFailure === '' ? second : Date.parse(lastFailure) / 1_000 + 1;
  return new Date(Math.max(second, afterFailure) * 1_000).toISOString().replace('.000', '');
}
