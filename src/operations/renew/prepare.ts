import type { Cluster } from '../../cluster/cluster.ts';
import { leaseNeeds } from '../../cluster/lease.ts';
import { fieldOwner } from '../../cluster/managed-fields.ts';
import { getObject } from '../../cluster/objects.ts';
import { namespacedName } from '../../cluster/resources.ts';
import { rotationLease } from '../../cluster/rotation-lease.ts';
import type { Need } from '../../cluster/status.ts';
import { RefusedError } from '../../errors.ts';
import { certificateName } from '../../manifests/cert-manager.ts';
import { wouldAccept } from '../../pki/trust.ts';
import type { CertificateInfo } from '../../pki/types.ts';
import { projectFiles } from '../../project/project.ts';
import { requireAccess } from '../permissions.ts';
import type { Progress } from '../progress.ts';
import { expiryInCluster, requireChecked } from '../rotation/expiry.ts';
import type { Guard } from '../rotation/guard.ts';
import { leafOf, readSecret, secretRef } from '../rotation/live.ts';
import { type LookAtAll, lookAtAll } from '../rotation/look.ts';
import type { RotateResult } from '../rotation/request.ts';
import { type CertificateSet, hostOf, type Rotation, type RotationKind, serviceOf, unknownSet } from '../rotation/rotation.ts';
import type { Step } from '../runner.ts';
import { type Restarts, restarts } from '../steps/restarts.ts';
import { servedStep, untilServed } from '../steps/served.ts';
import { soakStep } from '../steps/soak.ts';
import { uptakeStep } from '../steps/uptake.ts';
import { bothCasStep, readUnfinished } from './both-cas.ts';
import { bothRef } from './both-cas-secret.ts';
import { certificateRef, readIssuance } from './issuance.ts';
import { keptTrust } from './kept-trust.ts';
import { oneCaStep } from './one-ca.ts';
import { type RenewStep, renewStep, setInSecret, soon } from './renew-step.ts';
import type { RenewRequest, TimedRenewal } from './request.ts';
import { isEarlier, readSigner, renewCaStep, signerNeeds } from './signer.ts';
import { requireWebhooks } from './webhooks.ts';

type Where = TimedRenewal & Pick<Rotation, 'cluster'>;

/** The steps of a renewal, in order. */
export interface Renewal {
  /** `ca` also where somebody else has renewed the CA. */
  readonly kind: RotationKind;
  readonly steps: readonly Step[];
  /** Undefined where an earlier renewal replaced it. */
  readonly from: CertificateSet | undefined;
  /** The new certificate, after the step `renew`. */
  readonly to: () => CertificateSet;
}

/**
 * The permissions of the Lease and of all steps.
 * @param renewsCa whether the CA is still to be renewed
 */
export function renewalNeeds(cluster: Cluster, request: RenewRequest, renewsCa = request.kind === 'ca'): readonly Need[] {
  const where = { ...request, cluster, now: () => new Date(), renewLease: async () => {} };
  const { steps } = stepsOf(where, { from: undefined, ...(renewsCa ? { caFrom: [] } : {}) });
  return [...leaseNeeds(serviceOf(request)), ...steps.flatMap((step) => step.needs()), ...signerNeeds(request.registration)];
}

/**
 * Decides by the cluster what has to be renewed. A certificate in the Secret that not every
 * endpoint serves yet is new already, and so is a CA that did not sign it: a run after Ctrl-C
 * continues with them.
 * @returns the steps; the result where there is nothing to do
 * @throws RefusedError where there is no certificate to renew
 */
export async function prepareRenewal(cluster: Cluster, request: TimedRenewal): Promise<Renewal | RotateResult> {
  const { ifExpiresWithin, kind, onProgress } = request;
  const where = { ...request, cluster };
  const secret = namespacedName(secretRef(request));
  const found = await setInSecret(where);
  const issuance = await readIssuance(where, certificateOf(request));
  if (!found) {
    throw new RefusedError(`Secret ${secret} has no certificate yet\nnothing was changed`, {
      fix: 'Register the API first: apisvc register',
    });
  }
  // Until the CA is replaced everywhere, the next renewal may bring what is not trusted.
  const continued = await continueCa(where, found);
  if (continued) return continued;
  if (ifExpiresWithin !== undefined) {
    const expiry = await expiryInCluster(where, ifExpiresWithin);
    if (!expiry.isDue) {
      requireChecked(expiry);
      return { outcome: 'not-due', kind, direction: 'forward', steps: [], from: undefined, to: expiry.first };
    }
  }
  if (kind === 'ca') {
    await requireWebhooks(where, found.anchors, undefined);
    return stepsOf(where, { from: found, caFrom: found.anchors });
  }
  const note = (what: string): void => onProgress({ kind: 'note', what });
  const isNew = await isNotServedYet(rotationTo(where, found), found);
  if (isNew) note(`not every endpoint serves the certificate in Secret ${secret} yet, so the certificate is not renewed again`);
  else if (issuance.state === 'issuing') note('cert-manager is already renewing the certificate');
  return stepsOf(where, { from: isNew ? undefined : found });
}

/**
 * The result of a run that finds nothing due and nothing in progress: it needs no Lease, because it
 * writes nothing.
 * @returns undefined where `prepareRenewal` has to decide with the Lease
 * @throws as `prepareRenewal`
 */
export async function nothingDue(cluster: Cluster, request: TimedRenewal): Promise<RotateResult | undefined> {
  const isLocked = async () => (await getObject(cluster, rotationLease(serviceOf(request)), request.signal)) !== undefined;
  // While another rotation runs, an endpoint may be unreachable or a certificate missing.
  if (request.ifExpiresWithin === undefined || (await isLocked())) return undefined;
  const said: Progress[] = [];
  const prepared = await prepareRenewal(cluster, { ...request, onProgress: (progress) => said.push(progress) });
  // Read after the certificates: a rotation that changed them still has its Lease, or is complete.
  if (!('outcome' in prepared) || (await isLocked())) return undefined;
  for (const progress of said) request.onProgress(progress);
  return prepared;
}

/**
 * A rotation of the CA that was interrupted, or that somebody else has begun by renewing the CA.
 * @returns undefined where there is none
 */
async function continueCa(where: Where, found: CertificateSet): Promise<Renewal | undefined> {
  const { cluster, kind, onProgress, dryRun, signal } = where;
  const signer = await readSigner(where);
  const isEarlierCa = isEarlier(found.anchors, signer);
  const { isInjected, ...left } = await readUnfinished(where);
  // A CA that cannot be read may be another one, which nothing trusts yet.
  const isOnlySecret = left.isOnlySecret && signer !== undefined;
  if (!isEarlierCa && !isInjected && !isOnlySecret) return undefined;
  if (isEarlierCa) await requireWebhooks(where, found.anchors, signer);
  const secret = namespacedName(secretRef(where));
  const reason = isInjected
    ? `the caBundle still has a CA other than the one in Secret ${secret}`
    : `Secret ${namespacedName(bothRef(where.registration))} still exists`;
  const why = isEarlierCa ? `the issuer now signs with a CA other than the one in Secret ${secret}` : reason;
  onProgress({ kind: 'note', what: `${why}; continuing the rotation of the CA` });
  const asCa = { ...where, kind: 'ca' as const };
  // The first check did not know that the CA is replaced.
  if (!dryRun && kind === 'leaf') await requireAccess(cluster, renewalNeeds(cluster, asCa, false), [], signal);
  return stepsOf(asCa, { from: isEarlierCa ? found : undefined, isTrusted: isOnlySecret && !isEarlierCa });
}

const certificateOf = ({ registration }: Pick<RenewRequest, 'registration'>) =>
  certificateRef(registration.metadata.namespace, certificateName(registration));

/** Whether the Secret has a valid certificate, and an endpoint serves another one. */
async function isNotServedYet(rotation: Rotation, { presented, anchors: roots, leaf }: CertificateSet): Promise<boolean> {
  if (!wouldAccept({ presented, roots, hostname: hostOf(rotation), now: soon(rotation.now()) })) return false;
  const { probes } = await lookAtAll(rotation)();
  return probes.some(({ handshake }) => handshake.kind === 'served' && handshake.certificates[0]?.fingerprint !== leaf);
}

/** A rotation to a certificate, which cert-manager writes. */
const rotationTo = (where: Where, to: CertificateSet, from?: CertificateSet): Rotation => ({
  ...where,
  direction: 'forward',
  from,
  to,
  undo: false,
  files: projectFiles(where.dir),
  caFiles: [],
});

interface Replaced {
  /** Undefined where the Secret has the new certificate already. */
  readonly from: CertificateSet | undefined;
  /** The CA that is to be renewed; undefined where none is. */
  readonly caFrom?: readonly CertificateInfo[];
  /** Whether the new CA is trusted alone already, so that only the Secret with both is left. */
  readonly isTrusted?: boolean;
}

function stepsOf(where: Where, { from, caFrom, isTrusted = false }: Replaced): Renewal {
  const { kind, onProgress } = where;
  const released = new Set<string>();
  // What may not be read was said before.
  const next = () => readSigner({ ...where, onProgress: () => {} });
  const both = bothCasStep(where, { from: from?.anchors ?? [], next, released });
  const uptake = uptakeStep(where, async () => (await renew.observe()).state === 'done');
  const keepTrust = kind === 'ca' && !isTrusted ? keptTrust(where, both, uptake) : async () => {};
  const renew: RenewStep = renewStep(where, certificateOf(where), from, keepTrust);
  const parts = (to: CertificateSet): Parts => {
    const rotation = rotationTo(where, to, from);
    const look = lookAtAll(rotation);
    const keepSecret = secretGuard(rotation);
    const guard: Guard = async () => {
      if (released.size > 0 && !(await look()).complete) {
        onProgress({ kind: 'note', what: 'some endpoints cannot be checked; trusting both CAs again' });
        released.clear();
        await both.run();
        await uptake.run();
      }
      await keepTrust();
      await keepSecret();
    };
    return { rotation, look, guard, restarts: restarts(rotation) };
  };
  const after = followers(parts, renew);
  const served = after(({ rotation, look, guard, restarts }) => servedStep(rotation, look, guard, restarts));
  if (kind === 'leaf') return { kind, steps: [renew, served], from, to: renew.brought };
  const oneCa = after(({ rotation, look, guard, restarts }) =>
    oneCaStep(rotation, { untilServed: () => untilServed(rotation, look, guard, restarts), released }),
  );
  if (isTrusted) return { kind, steps: [renew, served, oneCa], from, to: renew.brought };
  const steps = [
    ...(caFrom ? [renewCaStep(where, caFrom)] : []),
    both,
    uptake,
    renew,
    served,
    after(({ rotation, look, guard, restarts }) => soakStep(rotation, look, guard, restarts)),
    oneCa,
  ];
  return { kind, steps, from, to: renew.brought };
}

/** What looks at the endpoints needs. */
interface Parts {
  readonly rotation: Rotation;
  readonly look: LookAtAll;
  readonly guard: Guard;
  readonly restarts: Restarts;
}

/** Makes steps on the certificate that an earlier step brings. */
function followers(parts: (to: CertificateSet) => Parts, { brought }: RenewStep): (make: (parts: Parts) => Step) => Step {
  let known: Parts | undefined;
  return (make) => {
    let made: Step | undefined;
    const step = (): Step => {
      known ??= parts(brought());
      made ??= make(known);
      return made;
    };
    return { ...make(parts(unknownSet)), observe: async () => step().observe(), run: async () => step().run() };
  };
}

/** cert-manager may renew the certificate again at any time. */
function secretGuard(rotation: Rotation): Guard {
  return async () => {
    const secret = await readSecret(rotation);
    if (leafOf(secret)?.fingerprint === rotation.to.leaf) return;
    const { namespace, name } = secretRef(rotation);
    throw new RefusedError(`Secret ${namespace}/${name} was changed during the rotation by ${fieldOwner(secret, ['data', 'tls.crt'])}`, {
      fix: 'Run the same command again. It waits until every endpoint serves the certificate that is now in the Secret.',
    });
  };
}
