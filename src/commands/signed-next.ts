import type { Cluster } from '../cluster/cluster.ts';
import type { Registration } from '../config/schema.ts';
import { UsageError } from '../errors.ts';
import { issueFrom } from '../issuers/issuer.ts';
import type { RotateRequest } from '../operations/rotation/request.ts';
import type { RotationKind } from '../operations/rotation/rotation.ts';
import { anchorNeeds, signerAnchors } from '../operations/signer/anchors.ts';
import { requestCertificate, signingNeeds } from '../operations/signer/request.ts';
import { caBundleOf } from '../pki/anchors.ts';
import { createAuthority } from '../pki/authority.ts';
import { inspect } from '../pki/inspect.ts';
import type { Anchor } from '../pki/types.ts';
import { certificatesOf } from '../project/certificates.ts';
import type { CertificatesToWrite } from '../project/project.ts';

type Request = Pick<RotateRequest, 'dir' | 'registration' | 'kind' | 'abort' | 'dryRun' | 'clusterFlags' | 'signal' | 'onProgress'>;

/**
 * How `rotate` gets the next certificate from a signer in the cluster. The CA is replaced where the
 * signer has another one.
 * @throws UsageError for `--ca` where the signer has the CA in use; as `signerAnchors`
 */
export async function signedNext(cluster: Cluster, request: Request): Promise<Pick<RotateRequest, 'kind' | 'issue' | 'issueNeeds'>> {
  const { dir, registration, abort, dryRun, clusterFlags } = request;
  if (abort) return { kind: request.kind, issue: neverIssued, issueNeeds: [] };
  const waiting = { ...request, cluster };
  const anchors = await signerAnchors(waiting, dir, registration);
  const kind = kindOf(dir, anchors);
  if (request.kind === 'ca' && kind === 'leaf') {
    throw new UsageError('--ca requires a new CA, but the CA of the signer has not changed', {
      fix: 'Remove --ca. When the signer has a new CA, update spec.certificates.issuer in apisvc.yaml, and run: apisvc rotate',
    });
  }
  const issue = async (): Promise<CertificatesToWrite> =>
    dryRun ? standIn(registration, anchors) : { issued: await requestCertificate(waiting, { registration, dir, anchors, clusterFlags }) };
  return { kind, issue, issueNeeds: [...signingNeeds, ...anchorNeeds(registration)] };
}

const neverIssued = (): never => {
  throw new Error('the way back needs no new certificate');
};

/** Without certs/ca.crt, the CA in use is the one that the certificate in the cluster has. */
function kindOf(dir: string, anchors: readonly Anchor[]): RotationKind {
  const current = certificatesOf(dir, 'caCertificate').map(({ fingerprint }) => fingerprint);
  const next = inspect(caBundleOf({ anchors })).certificates.map(({ fingerprint }) => fingerprint);
  const isSame = current.length === 0 || (current.length === next.length && next.every((each) => current.includes(each)));
  return isSame ? 'leaf' : 'ca';
}

/** A plan needs a certificate to plan with, and requests none. */
async function standIn(registration: Registration, anchors: readonly Anchor[]): Promise<CertificatesToWrite> {
  const now = new Date();
  const authority = createAuthority({ commonName: 'plan', keyType: 'ecdsa-p256', lifetimeMs: 100 * 365 * 86_400_000, now });
  return { issued: { ...(await issueFrom(authority, { registration, given: undefined, now })), anchors } };
}
