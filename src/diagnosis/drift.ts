import type { ProjectView } from '../snapshot/types.ts';
import { entryOf } from './catalog.ts';
import type { Finding } from './types.ts';

/** Whether a finding is about what `status` compares. */
export const isAboutCertificates = ({ code }: Pick<Finding, 'code'>): boolean =>
  /^(bundle|cert)\//.test(code) ||
  [
    'registration/missing',
    'registration/other-service',
    'registration/bundle-manager',
    'security/key-mismatch',
    'security/insecure-skip-tls-verify',
  ].includes(code);

/** Whether a finding means that two places differ. */
export function isDrift({ code, severity }: Finding, compared: ProjectView | undefined): boolean {
  if (code.endsWith('expires-soon') || code === 'security/insecure-skip-tls-verify') return false;
  return severity === 'error' || entryOf(code).differs === true || (code === 'bundle/unused-ca' && compared !== undefined);
}
