import { responsibilitiesOf } from '../config/responsibilities.ts';
import type { Registration } from '../config/schema.ts';
import { UsageError } from '../errors.ts';
import { projectFiles } from '../project/project.ts';

/**
 * @throws UsageError for an issuer that is only rendered: apisvc would write its Secret, but cannot
 * request the certificate
 */
export function requireSupported(dir: string, registration: Registration): void {
  const { inProject, secret } = responsibilitiesOf(registration);
  if (inProject || secret !== 'apisvc') return;
  const { type } = registration.spec.certificates.issuer;
  throw new UsageError(`${projectFiles(dir).configuration}: this version can only render manifests for the issuer type "${type}"`, {
    fix: 'Apply them with kubectl: apisvc render | kubectl apply -f -',
  });
}
