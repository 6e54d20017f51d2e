import { refOf } from '../../cluster/objects.ts';
import { describeRef, namespacedName } from '../../cluster/resources.ts';
import type { Registration } from '../../config/schema.ts';
import { RefusedError } from '../../errors.ts';
import { certificateName } from '../../manifests/cert-manager.ts';
import { certManagerAnnotations } from '../../manifests/cert-manager-annotations.ts';
import { injectionAnnotation } from '../../manifests/labels.ts';
import type { KubeObject } from '../../manifests/types.ts';
import { viewApiService } from '../../snapshot/views.ts';
import { readApiServices } from '../rotation/live.ts';
import { annotate } from '../rotation/merge-patch.ts';
import { bothRef } from './both-cas-secret.ts';
import type { Where, Writing } from './renew-step.ts';

/**
 * What the cainjector copies into the caBundles, which it alone writes (cert-manager
 * pkg/controller/cainjector/sources.go).
 */

const { fromCertificate, fromSecret } = certManagerAnnotations;

/** The APIServices of the Service that verify its certificate. */
export const readVerifying = async (where: Omit<Where, 'now' | 'onProgress'>): Promise<readonly KubeObject[]> =>
  (await readApiServices(where)).filter((each) => !viewApiService(each).insecureSkipTLSVerify);

/** Whether the cainjector copies both CAs. */
export const isInjected = ({ metadata: { annotations = {} } }: KubeObject, registration: Registration): boolean =>
  annotations[fromSecret] === namespacedName(bothRef(registration));

/** Whether it copies nothing else. */
export const isOnlyInjected = (apiService: KubeObject, registration: Registration): boolean =>
  isInjected(apiService, registration) && apiService.metadata.annotations?.[fromCertificate] === undefined;

/**
 * Has the cainjector copy both CAs, or those of the Certificate again, as the holder of the Lease.
 * Before cert-manager 1.19, cainjectors obey both annotations at once.
 * @param isFresh as for `changeFields`
 * @returns as `changeFields`
 */
export async function follow(where: Writing, found: KubeObject, source: 'both' | 'certificate', isFresh: () => boolean): Promise<boolean> {
  const { annotations = {} } = found.metadata;
  const certificate = annotations[fromCertificate] ?? annotations[injectionAnnotation];
  const change =
    source === 'both'
      ? { [fromSecret]: namespacedName(bothRef(where.registration)), [fromCertificate]: null, [injectionAnnotation]: certificate }
      : { [fromSecret]: null, [fromCertificate]: certificate, [injectionAnnotation]: null };
  await where.renewLease();
  if (!isFresh() || !(await annotate(where, found, change))) return false;
  where.onProgress({ kind: 'applied', applied: { object: describeRef(refOf(found)), change: 'configured' } });
  return true;
}

/** Why the cainjector would not write both CAs; undefined where it would. */
export function injectionFault(apiService: KubeObject, registration: Registration): RefusedError | undefined {
  const { name, annotations = {} } = apiService.metadata;
  const { [fromCertificate]: certificate, [fromSecret]: secret } = annotations;
  if (secret !== undefined && !isInjected(apiService, registration)) {
    return new RefusedError(`apiservice/${name} gets its caBundle from Secret ${secret} (annotation ${fromSecret})`, {
      fix: `Let cert-manager inject the CA of the Certificate: kubectl annotate apiservice ${name} ${fromSecret}-`,
    });
  }
  if (certificate !== undefined || annotations[injectionAnnotation] !== undefined) return undefined;
  return new RefusedError(
    `apiservice/${name} would not trust the new CA: it points at the same Service, but cert-manager does not write its caBundle`,
    {
      fix: `Let cert-manager write it: kubectl annotate apiservice ${name} ${fromCertificate}=${registration.metadata.namespace}/${certificateName(registration)}`,
    },
  );
}
