import { type Journal, journalAnnotation } from '../../../../src/cluster/rotation-lease.ts';
import type { RotateRequest } from '../../../../src/operations/rotation/request.ts';
import { type CertificateSet, certificateSet } from '../../../../src/operations/rotation/rotation.ts';
import { anchorsIn } from '../../../../src/pki/anchors.ts';
import { never } from '../../cluster/kube-api.ts';
import { servingCertificate } from '../../cluster/listening.ts';
import { authority, leaf, registration } from '../../project/sample.ts';

/** The certificates of the sample project. */
export const issued = { chain: leaf.certificates, key: leaf.key, anchors: anchorsIn(authority.certificates, 'current') };

/** A certificate of a new CA, for the server that the specs of steps rotate. */
export async function newSet(): Promise<CertificateSet> {
  const made = await servingCertificate();
  const set = certificateSet({
    chain: made.leaf.certificates,
    key: made.leaf.key,
    anchors: anchorsIn(made.authority.certificates, 'next'),
  });
  if (!set) throw new Error('no certificate');
  return set;
}

/** A request to rotate the certificate of the sample project. */
export const rotateRequest = (dir: string, more: Partial<RotateRequest> = {}): RotateRequest =>
  ({
    dir,
    registration,
    kind: 'leaf',
    abort: false,
    dryRun: false,
    signal: never,
    onProgress: () => undefined,
    onReport: () => undefined,
    ...more,
  }) as RotateRequest;

/** The Lease of a rotation that was interrupted while it wrote the Secret. */
export const interruptedLease = (journal: Partial<Journal>): object => {
  const whole: Journal = {
    kind: 'leaf',
    direction: 'forward',
    step: 'secret',
    number: 2,
    steps: 4,
    title: 'Writing',
    started: 'now',
    holder: 'alice@laptop',
    ...journal,
  };
  return { metadata: { name: 'lease', annotations: { [journalAnnotation]: JSON.stringify(whole) } }, spec: {} };
};
