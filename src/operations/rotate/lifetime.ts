import { UsageError } from '../../errors.ts';
import type { CertificateInfo } from '../../pki/types.ts';
import { projectFiles } from '../../project/project.ts';
import type { RotateRequest } from '../rotation/request.ts';
import type { CertificateSet, Rotation } from '../rotation/rotation.ts';
import { blindMs } from '../rotation/settle-time.ts';
import { reloadMs } from '../served.ts';

/**
 * Refuses new certificates that may expire before the rotation is complete: kubelet must write them
 * to the pods, and with a new CA every kube-apiserver must trust it, and the soak time must pass.
 * @param request `isRestored`: whether lost files were restored before
 * @throws UsageError that names the lifetime in apisvc.yaml
 */
export function requireTime(
  set: CertificateSet | undefined,
  request: Pick<RotateRequest, 'kind' | 'soakMs' | 'dir'> & Pick<Rotation, 'now'> & { readonly isRestored?: boolean },
): void {
  const { kind, soakMs, now, dir, isRestored = false } = request;
  const neededMs = reloadMs + (kind === 'ca' ? blindMs + soakMs : 0);
  const leftMs = ({ notAfter }: CertificateInfo): number => Date.parse(notAfter) - now().getTime();
  const seconds = (ms: number): string => `${Math.max(0, Math.round(ms / 1000))}s`;
  const isShort = (each: CertificateInfo): boolean => leftMs(each) < neededMs;
  // A certificate does not outlive its CA (pki/leaf.ts), and other CAs of ca.crt do not matter.
  const short = set?.presented.find(isShort);
  if (!set || !short) return;
  const parts = [`${seconds(reloadMs)} until every pod has the certificate`];
  if (kind === 'ca') parts.push(`${seconds(blindMs)} until every kube-apiserver trusts the CA`, `${seconds(soakMs)} of --soak`);
  const { configuration } = projectFiles(dir);
  const [what, fix] =
    kind === 'ca' && set.anchors.every(isShort)
      ? ['CA', `Set a longer spec.certificates.issuer.caLifetime in ${configuration}, or use a CA that is valid for longer.`]
      : ['certificate', `Set a longer spec.certificates.lifetime in ${configuration}.`];
  const needed = `a rotation may take ${seconds(neededMs)}: ${parts.join(', ')}`;
  const unchanged = isRestored ? 'nothing else was changed' : 'nothing was changed';
  throw new UsageError(`the new ${what} would expire after ${seconds(leftMs(short))}, but ${needed}\n${unchanged}`, { fix });
}
