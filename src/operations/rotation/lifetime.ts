import { UsageError } from '../../errors.ts';
import type { CertificateInfo } from '../../pki/types.ts';
import { projectFiles } from '../../project/project.ts';
import { reloadMs } from '../served.ts';
import { blindMs } from '../steps/uptake.ts';
import type { RotateRequest } from './request.ts';
import type { CertificateSet, Rotation } from './rotation.ts';

/**
 * Refuses new certificates that may expire before the rotation is complete: kubelet must write them
 * to the pods, and with a new CA every kube-apiserver must trust it, and the soak time must pass.
 * @throws UsageError that names the lifetime in apisvc.yaml
 */
export function requireTime(
  set: CertificateSet | undefined,
  { kind, soakMs, now, dir }: Pick<RotateRequest, 'kind' | 'soakMs' | 'dir'> & Pick<Rotation, 'now'>,
): void {
  const neededMs = reloadMs + (kind === 'ca' ? blindMs + soakMs : 0);
  const leftMs = ({ notAfter }: CertificateInfo): number => Date.parse(notAfter) - now().getTime();
  const seconds = (ms: number): string => `${Math.max(0, Math.round(ms / 1000))}s`;
  const isShort = (each: CertificateInfo): boolean => leftMs(each) < neededMs;
  const ca = set?.anchors.find(isShort);
  const short = ca ?? set?.presented.find(isShort);
  if (!short) return;
  const parts = [`${seconds(reloadMs)} until every pod has the certificate`];
  if (kind === 'ca') parts.push(`${seconds(blindMs)} until every kube-apiserver trusts the CA`, `${seconds(soakMs)} of --soak`);
  const { configuration } = projectFiles(dir);
  throw new UsageError(
    `the new ${ca ? 'CA' : 'certificate'} would expire after ${seconds(leftMs(short))}, but a rotation may take ${seconds(neededMs)}: ${parts.join(', ')}\nnothing was changed`,
    {
      fix: ca
        ? `Set a longer spec.certificates.issuer.caLifetime in ${configuration}, or use a CA that is valid for longer.`
        : `Set a longer spec.certificates.lifetime in ${configuration}.`,
    },
  );
}
