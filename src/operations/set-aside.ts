import { dirname } from 'node:path';
import { issuerFlags } from '../config/issuer-flags.ts';
import type { IssuerType } from '../config/schema-certificates.ts';
import { shellWord } from '../config/shell-word.ts';
import { projectFiles } from '../project/project.ts';

/** Commands that go on with the certificates in the cluster, without those of the project. */

/** Moves the certificates of a project away. */
export function aside(dir: string): string {
  const certs = shellWord(dirname(projectFiles(dir).caCertificate));
  return `mv ${certs} ${certs}.old`;
}

/** Replaces the CA and the keys in the cluster while the API keeps serving. */
export function rotateAside(dir: string, issuer: IssuerType): string {
  const { needed, requested } = issuerFlags[issuer];
  return `${aside(dir)} && apisvc rotate${requested ? '' : ` ${needed || '--ca'}`}`;
}
