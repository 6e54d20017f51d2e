import { deleteObject } from '../../cluster/deletion.ts';
import { getObject, refOf } from '../../cluster/objects.ts';
import { applyObject } from '../../cluster/ownership.ts';
import { describeRef, namespacedName, type ObjectRef, resources } from '../../cluster/resources.ts';
import type { Registration } from '../../config/schema.ts';
import { RefusedError } from '../../errors.ts';
import { certificateName } from '../../manifests/cert-manager.ts';
import { injectionAnnotation, objectLabels, projectAnnotation, projectOf } from '../../manifests/labels.ts';
import { base64 } from '../../manifests/secret.ts';
import type { KubeObject } from '../../manifests/types.ts';
import { distinct } from '../../pki/anchors.ts';
import type { CertificateInfo } from '../../pki/types.ts';
import { trustedBy } from '../../snapshot/ca-bundle.ts';
import { viewApiService } from '../../snapshot/views.ts';
import { bundleText, isExpired, lackedBy, trustsOnly } from '../rotation/bundles.ts';
import { bundleNeeds, readApiServices, secretRef } from '../rotation/live.ts';
import { mergePatch } from '../rotation/merge-patch.ts';
import type { Rotation } from '../rotation/rotation.ts';
import { combineErrors, type Step } from '../runner.ts';
import { poll, untilFresh, waitFor } from '../wait.ts';
import type { Where } from './renew-step.ts';

/**
 * The cainjector alone writes the caBundles. It copies both CAs from a Secret that exists only
 * while both have to be trusted (cert-manager pkg/controller/cainjector/sources.go).
 */

const fromCertificate = 'cert-manager.io/inject-ca-from';
const fromSecret = 'cert-manager.io/inject-ca-from-secret';

const bothRef = (registration: Registration): ObjectRef => ({
  resource: resources.Secret,
  namespace: registration.metadata.namespace,
  name: `${certificateName(registration)}-both-cas`,
});

/** Deleted by `unregister` too. */
const bothManifest = (registration: Registration, anchors: readonly CertificateInfo[]): KubeObject => {
  const { namespace, name } = bothRef(registration);
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      labels: objectLabels(registration),
      annotations: { 'cert-manager.io/allow-direct-injection': 'true', [projectAnnotation]: projectOf(registration) },
    },
    data: { 'ca.crt': base64(bundleText(anchors)) },
  };
};

/** The APIServices of the Service that verify its certificate. */
const readVerifying = async (where: Where): Promise<readonly KubeObject[]> =>
  (await readApiServices(where)).filter((each) => !viewApiService(each).insecureSkipTLSVerify);

const isInjected = ({ metadata: { annotations = {} } }: KubeObject, registration: Registration): boolean =>
  annotations[fromSecret] === namespacedName(bothRef(registration));

/** Whether the cainjector follows nothing else. */
const isOnlyInjected = (apiService: KubeObject, registration: Registration): boolean =>
  isInjected(apiService, registration) && apiService.metadata.annotations?.[fromCertificate] === undefined;

/**
 * The annotations of an APIService that follows the Secret, or the Certificate again. Before
 * cert-manager 1.19, cainjectors obey both at once.
 */
function annotationsFor({ metadata: { annotations = {} } }: KubeObject, secret: string | null): object {
  const certificate = annotations[fromCertificate] ?? annotations[injectionAnnotation];
  const [now, former] = secret === null ? [certificate, null] : [null, certificate];
  return { metadata: { annotations: { [fromSecret]: secret, [fromCertificate]: now, [injectionAnnotation]: former } } };
}

/** Whether an earlier run has both CAs trusted, and was interrupted. */
export const hasBothCas = async (where: Where): Promise<boolean> =>
  (await readVerifying(where)).some((each) => isInjected(each, where.registration));

/** Why the cainjector would not write both CAs; undefined where it would. */
function injectionFault(apiService: KubeObject, registration: Registration): RefusedError | undefined {
  const { name, annotations = {} } = apiService.metadata;
  const { [fromCertificate]: certificate, [fromSecret]: secret } = annotations;
  if (secret !== undefined && !isInjected(apiService, registration)) {
    return new RefusedError(`apiservice/${name} gets its caBundle from Secret ${secret} (annotation ${fromSecret})`, {
      fix: `Let cert-manager inject the CA of the Certificate: kubectl annotate apiservice ${name} ${fromSecret}-`,
    });
  }
  if (certificate !== undefined || annotations[injectionAnnotation] !== undefined) return undefined;
  return new RefusedError(`cert-manager does not write the caBundle of apiservice/${name}, which leads to the same Service`, {
    fix: `Let it: kubectl annotate apiservice ${name} ${fromCertificate}=${registration.metadata.namespace}/${certificateName(registration)}`,
  });
}

/**
 * Has the cainjector add the next CA to every caBundle.
 * @param next the CA that signs from now on
 */
export function bothCasStep(where: Where, next: () => Promise<readonly CertificateInfo[] | undefined>): Step {
  const { cluster, signal, registration, onProgress, now } = where;
  const ref = bothRef(registration);
  const lacking = async (): Promise<readonly string[]> => {
    const wanted = (await next()) ?? [];
    const found = await readVerifying(where);
    return found
      .filter((each) => !isOnlyInjected(each, registration) || lackedBy(viewApiService(each), wanted, now()).length > 0)
      .map(({ metadata }) => metadata.name);
  };
  return {
    id: 'trust-both',
    title: 'Trusting both CAs',
    needs: () => [...bundleNeeds, ...['get', 'create', 'patch', 'delete'].map((verb) => ({ verb, ref }))],
    async observe() {
      const faults = (await readVerifying(where)).flatMap((each) => injectionFault(each, registration) ?? []);
      if (faults.length > 0) return { state: 'fault', error: combineErrors(faults) };
      return { state: (await lacking()).length === 0 ? 'done' : 'pending' };
    },
    async run() {
      const found = await readVerifying(where);
      const all = distinct([...found.flatMap((each) => trustedBy(viewApiService(each))), ...((await next()) ?? [])]);
      // The cainjector drops expired ones.
      const valid = all.filter((each) => !isExpired(each, now()));
      await applyObject(cluster, bothManifest(registration, valid), { force: true, dryRun: false, signal });
      onProgress({ kind: 'applied', applied: { object: describeRef(ref), change: 'configured' } });
      for (const each of found) await mergePatch(where, refOf(each), annotationsFor(each, namespacedName(ref)));
      const details = 'kubectl -n cert-manager logs deployment/cert-manager-cainjector';
      await waitFor("cert-manager's cainjector to write both CAs", details, where, (report) =>
        poll({ signal, report }, async () => {
          const left = await lacking();
          if (left.length === 0) return true;
          report(`the caBundle of apiservice/${left.join(', apiservice/')} lacks a CA`);
          return undefined;
        }),
      );
    },
  };
}

/**
 * Lets the cainjector copy the CA of the Certificate again. It may drop the other CA.
 * @param untilServed waits until everything serves by the CA that stays
 */
export function oneCaStep(rotation: Rotation, untilServed: () => Promise<unknown>): Step {
  const { cluster, signal, registration, onProgress, to } = rotation;
  const ref = bothRef(registration);
  return {
    id: 'trust-new',
    title: `Removing Secret ${namespacedName(ref)}`,
    needs: () => [],
    async observe() {
      const found = await getObject(cluster, ref, signal);
      return { state: !found && !(await hasBothCas(rotation)) ? 'done' : 'pending' };
    },
    async run() {
      await untilServed();
      const all = await readVerifying(rotation);
      for (const each of all.filter((found) => isInjected(found, registration))) {
        await mergePatch(rotation, refOf(each), annotationsFor(each, null));
      }
      await untilFresh(signal, async () => {
        const found = await getObject(cluster, ref, signal);
        if (!found) return true;
        return (await deleteObject(cluster, found, { dryRun: false, signal })) === 'stale' ? undefined : true;
      });
      for (const each of all) {
        const { name } = each.metadata;
        if (trustsOnly(viewApiService(each), to.anchors)) continue;
        const what = `cert-manager keeps the old CA in the caBundle of apiservice/${name} since version 1.19; to remove it: ${narrowCommand(rotation, name)}`;
        onProgress({ kind: 'note', what });
      }
    },
  };
}

/** Writes what the cainjector would add, so that it leaves the value alone. */
function narrowCommand(rotation: Rotation, apiService: string): string {
  const { namespace, name } = secretRef(rotation);
  const ca = `kubectl -n ${namespace} get secret ${name} -o jsonpath='{.data.ca\\.crt}'`;
  // Without the value, nothing is written.
  return `ca=$(${ca}) && [ -n "$ca" ] && kubectl patch apiservice ${apiService} --type=merge -p "{\\"spec\\":{\\"caBundle\\":\\"$ca\\"}}"`;
}
