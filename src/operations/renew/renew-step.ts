import { clockToleranceMs } from '../../cluster/clock.ts';
import type { ObjectRef } from '../../cluster/resources.ts';
import { RefusedError } from '../../errors.ts';
import { secretEntry } from '../../manifests/secret.ts';
import { inspect } from '../../pki/inspect.ts';
import { readOthersSecret } from '../others-secret.ts';
import { bundleText } from '../rotation/bundles.ts';
import { readSecret, secretRef } from '../rotation/live.ts';
import type { CertificateSet, Rotation } from '../rotation/rotation.ts';
import type { Step } from '../runner.ts';
import { poll, waitFor } from '../wait.ts';
import { issuanceNeeds, readIssuance, requestIssuance } from './issuance.ts';

export type Where = Pick<Rotation, 'cluster' | 'signal' | 'registration' | 'now' | 'onProgress'>;

/** What writes needs. */
export type Writing = Where & Pick<Rotation, 'renewLease'>;

/** The certificate in the Secret that cert-manager writes; undefined where it has none. */
export async function setInSecret(where: Omit<Where, 'onProgress'>): Promise<CertificateSet | undefined> {
  const secret = await readSecret(where);
  const presented = inspect(secretEntry(secret, 'tls.crt')).certificates;
  const [leaf] = presented;
  const anchors = inspect(secretEntry(secret, 'ca.crt')).certificates;
  return leaf && { chain: bundleText(presented), presented, leaf: leaf.fingerprint, anchors, key: undefined };
}

/**
 * A certificate of cert-manager is valid from the second in which it is issued, by the clock of
 * cert-manager. The header with the time of kube-apiserver has no milliseconds.
 */
export const soon = (now: Date): Date => new Date(now.getTime() + clockToleranceMs);

export interface RenewStep extends Step {
  /** The new certificate. @throws Error before the step is done: a defect of apisvc */
  brought(): CertificateSet;
}

/**
 * Has cert-manager renew the serving certificate, and waits until the Secret has the new one.
 * @param from the certificate to replace; undefined where the Secret has the new one already
 * @param keepTrust runs before the certificate is requested
 */
export function renewStep(where: Writing, ref: ObjectRef, from: CertificateSet | undefined, keepTrust: () => Promise<void>): RenewStep {
  const secret = secretRef(where);
  let brought: CertificateSet | undefined;
  const isRenewed = async (): Promise<boolean> => {
    const found = await setInSecret(where);
    if (!found || found.leaf === from?.leaf) return false;
    brought = found;
    return true;
  };
  return {
    id: 'renew',
    title: `Renewing Certificate ${ref.namespace}/${ref.name}`,
    needs: () => [...issuanceNeeds(ref), { verb: 'get', ref: secret }],
    observe: async () => ({ state: (await isRenewed()) ? 'done' : 'pending' }),
    async run() {
      await keepTrust();
      await issue(where, ref, isRenewed);
      // An error names the reasons: cert-manager issues whatever the Certificate asks for.
      await readOthersSecret({ ...where, fileAnchors: undefined, now: soon(where.now()) });
    },
    brought() {
      if (!brought) throw new Error('the step "renew" has not run');
      return brought;
    },
  };
}

/**
 * Has a Certificate issued again, as the holder of the Lease, and waits until it is.
 * @param isRenewed whether its Secret has another certificate
 * @throws RefusedError with the reason of cert-manager when it fails; DeadlineError
 */
export async function issue(where: Writing, ref: ObjectRef, isRenewed: () => Promise<boolean>): Promise<void> {
  const { signal } = where;
  const name = `Certificate ${ref.namespace}/${ref.name}`;
  const details = `kubectl -n ${ref.namespace} describe certificates,certificaterequests,issuers`;
  // kube-apiserver may have restarted since it was triggered.
  if (!(await isRenewed())) {
    await where.renewLease();
    await requestIssuance(where, ref);
  }
  await waitFor(`cert-manager to renew ${name}`, details, where, (report) =>
    poll({ signal, report }, async () => {
      const issuance = await readIssuance(where, ref);
      if (issuance.state === 'failed') throw failed(name, issuance.words, details);
      if (issuance.state === 'issuing') report(issuance.words);
      return issuance.state === 'issued' && (await isRenewed()) ? true : undefined;
    }),
  );
}

const failed = (name: string, words: string, details: string): RefusedError =>
  new RefusedError(`cert-manager did not renew ${name}: ${words}\nthe old certificate stays in use`, {
    fix: `Resolve the problem that the message describes, and run the same command again. To read all conditions: ${details}`,
  });
