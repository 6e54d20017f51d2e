import { responsibilitiesOf } from '../config/responsibilities.ts';
import type { Registration } from '../config/schema.ts';
import { UsageError } from '../errors.ts';
import { projectFiles } from '../project/project.ts';

/**
 * @throws UsageError for an issuer whose certificates are not in the project: it is only rendered
 */
export function requireOwnCertificates(dir: string, registration: Registration): void {
  if (responsibilitiesOf(registration).inProject) return;
  const { type } = registration.spec.certificates.issuer;
  throw new UsageError(`${projectFiles(dir).configuration}: this version can only render manifests for the issuer type "${type}"`, {
    fix: 'Apply them with kubectl: apisvc render | kubectl apply -f -',
  });
}
