import type { ProjectView } from '../snapshot/types.ts';
import type { Code } from './catalog.ts';
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

/** Warnings that nevertheless mean that two places differ. */
const differences: readonly Code[] = [
  'bundle/not-project-ca',
  'cert-manager/not-injected',
  'cert/not-project-certificate',
  'cert/other-secret',
  'cert/secret-differs',
  'cert/secret-missing',
  'cert/secret-unreadable',
  'registration/other-service',
  'security/key-mismatch',
];

/** Whether a finding means that two places differ. */
export function isDrift({ code, severity }: Finding, compared: ProjectView | undefined): boolean {
  if (code.endsWith('expires-soon') || code === 'security/insecure-skip-tls-verify') return false;
  return severity === 'error' || differences.includes(code) || (code === 'bundle/unused-ca' && compared !== undefined);
}
