import type { Cluster } from '../../cluster/cluster.ts';
import { leaseNeeds } from '../../cluster/lease.ts';
import { fieldOwner } from '../../cluster/managed-fields.ts';
import type { Need } from '../../cluster/status.ts';
import { RefusedError } from '../../errors.ts';
import { certificateName } from '../../manifests/cert-manager.ts';
import { wouldAccept } from '../../pki/trust.ts';
import { projectFiles } from '../../project/project.ts';
import { expiryInCluster, requireChecked } from '../rotation/expiry.ts';
import type { Guard } from '../rotation/guard.ts';
import { leafOf, readSecret, secretRef } from '../rotation/live.ts';
import { lookAtAll } from '../rotation/look.ts';
import type { RotateResult } from '../rotation/request.ts';
import { type CertificateSet, hostOf, type Rotation, serviceOf } from '../rotation/rotation.ts';
import type { Step } from '../runner.ts';
import { restarts } from '../steps/restarts.ts';
import { servedStep } from '../steps/served.ts';
import { certificateRef, readIssuance } from './issuance.ts';
import { type RenewStep, renewStep, setInSecret } from './renew-step.ts';
import type { RenewRequest, TimedRenewal } from './request.ts';

/** The steps of a renewal, in order. */
export interface Renewal {
  readonly steps: readonly Step[];
  /** Undefined where an earlier renewal replaced it. */
  readonly from: CertificateSet | undefined;
  /** The new certificate, after the step `renew`. */
  readonly to: () => CertificateSet;
}

const unknown: CertificateSet = { chain: '', presented: [], leaf: '', anchors: [], key: undefined };

/** The permissions of the Lease and of all steps. */
export function renewalNeeds(cluster: Cluster, request: RenewRequest): readonly Need[] {
  const steps = stepsOf(cluster, { ...request, now: () => new Date(), renewLease: async () => {} }, undefined);
  return [...leaseNeeds(serviceOf(request)), ...steps.steps.flatMap((step) => step.needs())];
}

/**
 * Decides by the cluster whether the certificate has to be renewed. One in the Secret that not
 * every endpoint serves yet is new already: a run after Ctrl-C only waits.
 * @returns the steps; the result where there is nothing to do
 * @throws RefusedError where there is no certificate to renew
 */
export async function prepareRenewal(cluster: Cluster, request: TimedRenewal): Promise<Renewal | RotateResult> {
  const { ifExpiresWithin, kind, onProgress } = request;
  const where = { ...request, cluster };
  const { namespace, name } = secretRef(request);
  if (ifExpiresWithin !== undefined) {
    const expiry = await expiryInCluster(where, ifExpiresWithin);
    if (!expiry.isDue) {
      requireChecked(expiry);
      return { outcome: 'not-due', kind, direction: 'forward', steps: [], from: undefined, to: expiry.first };
    }
  }
  const found = await setInSecret(where);
  const issuance = await readIssuance(where, certificateOf(request));
  if (!found) {
    throw new RefusedError(`Secret ${namespace}/${name} has no certificate yet\nnothing was changed`, {
      fix: 'Register the API first: apisvc register',
    });
  }
  const isNew = await isNotServedYet(rotationTo(cluster, request, found), found);
  if (isNew) {
    onProgress({ kind: 'note', what: `not every endpoint serves the certificate in Secret ${namespace}/${name}; continuing with it` });
  } else if (issuance.state === 'issuing') onProgress({ kind: 'note', what: 'cert-manager is renewing the certificate already' });
  return stepsOf(cluster, request, isNew ? undefined : found);
}

const certificateOf = ({ registration }: Pick<RenewRequest, 'registration'>) =>
  certificateRef(registration.metadata.namespace, certificateName(registration));

/** Whether the Secret has a valid certificate, and an endpoint serves another one. */
async function isNotServedYet(rotation: Rotation, { presented, anchors: roots, leaf }: CertificateSet): Promise<boolean> {
  if (!wouldAccept({ presented, roots, hostname: hostOf(rotation), now: rotation.now() })) return false;
  const { probes } = await lookAtAll(rotation)();
  return probes.some(({ handshake }) => handshake.kind === 'served' && handshake.certificates[0]?.fingerprint !== leaf);
}

/** A rotation to a certificate, which cert-manager writes. */
const rotationTo = (cluster: Cluster, request: TimedRenewal, to: CertificateSet, from?: CertificateSet): Rotation => ({
  ...request,
  cluster,
  direction: 'forward',
  from,
  to,
  undo: false,
  files: projectFiles(request.dir),
  caFiles: [],
});

/** @param from undefined where the Secret has the new certificate already */
function stepsOf(cluster: Cluster, request: TimedRenewal, from: CertificateSet | undefined): Renewal {
  const renew = renewStep({ ...request, cluster }, certificateOf(request), from);
  const served = (to: CertificateSet): Step => {
    const rotation = rotationTo(cluster, request, to, from);
    return servedStep(rotation, lookAtAll(rotation), secretGuard(rotation), restarts(rotation));
  };
  return { steps: [renew, later(served, renew)], from, to: renew.brought };
}

/** A step on the certificate that an earlier step brings. */
function later(make: (to: CertificateSet) => Step, { brought }: RenewStep): Step {
  let made: Step | undefined;
  const step = (): Step => {
    made ??= make(brought());
    return made;
  };
  return { ...make(unknown), observe: async () => step().observe(), run: async () => step().run() };
}

/** cert-manager may renew the certificate again at any time. */
function secretGuard(rotation: Rotation): Guard {
  return async () => {
    const secret = await readSecret(rotation);
    if (leafOf(secret)?.fingerprint === rotation.to.leaf) return;
    const { namespace, name } = secretRef(rotation);
    throw new RefusedError(`Secret ${namespace}/${name} was changed meanwhile by ${fieldOwner(secret, ['data', 'tls.crt'])}`, {
      fix: 'Run the same command again to wait for the certificate that it has now.',
    });
  };
}
