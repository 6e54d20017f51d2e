import { join } from 'node:path';
import { servingNames } from '../../../src/config/registration.ts';
import { anchorsIn } from '../../../src/pki/anchors.ts';
import { createAuthority } from '../../../src/pki/authority.ts';
import { issueServing } from '../../../src/pki/leaf.ts';
import { writeProject } from '../../../src/project/project.ts';
import { registrationOf } from '../manifests/fixture.ts';
import { day, now } from '../pki/certificates.ts';
import { folder } from './folder.ts';

export const registration = registrationOf('    image: x');
export const names = servingNames(registration);
/** The same server with more in `spec.certificates`. */
export const having = (...lines: string[]) =>
  registrationOf('    image: x', ['  certificates:', ...lines.map((line) => `    ${line}`)].join('\n'));

/** Valid for 100 days, its certificate for 10. */
export const authority = await createAuthority({ commonName: 'CA', keyType: 'ecdsa-p256', lifetimeMs: 100 * day, now });
export const leaf = await issueServing({ authority, names, keyType: 'ecdsa-p256', lifetimeMs: 10 * day, now });

/** A new project directory with these certificates. */
export const project = (keepAuthorityKey = true): string => {
  const dir = join(folder(), 'demo');
  const issued = { chain: leaf.certificates, key: leaf.key, anchors: anchorsIn(authority.certificates, 'current') };
  writeProject(dir, {
    configuration: 'kind: Registration\n',
    schema: '{}',
    certificates: { issued, ...(keepAuthorityKey ? { caKey: authority.key } : {}) },
  });
  return dir;
};
