import { mayI } from '../cluster/access.ts';
import { getObject } from '../cluster/objects.ts';
import { secretName } from '../config/registration.ts';
import type { Registration } from '../config/schema.ts';
import { whenRefused } from '../operations/permissions.ts';
import type { RegisterRequest } from '../operations/register/request.ts';
import { checkRegistration } from '../operations/register.ts';
import { secretNeeds, secretRef } from '../operations/rotation/live.ts';
import { anchorNeeds, signerAnchors } from '../operations/signer/anchors.ts';
import { requestCertificate, signingNeeds } from '../operations/signer/request.ts';
import type { Waiting } from '../operations/wait.ts';
import type { Issued } from '../pki/types.ts';
import { saveSigned } from '../project/request-key.ts';
import { issuedInCluster } from './issued-in-cluster.ts';

interface Project {
  readonly dir: string;
  readonly registration: Registration;
}

interface Registering {
  /** What `register` would do with the CAs of the signer only. */
  readonly requestWith: (anchors: Issued) => RegisterRequest;
  readonly isDryRun: boolean;
}

/**
 * The certificate for `register`, of a signer in the cluster: the one that is in the cluster, or a
 * new one, which is written to certs/. It is requested after everything else was checked. A dry run
 * requests nothing.
 * @param files the certificates of the project, without the key
 * @returns without a chain in a dry run
 * @throws as `issuedInCluster`, `checkRegistration` and `requestCertificate`
 */
export async function signedInCluster(
  waiting: Waiting,
  project: Project,
  files: Issued,
  { requestWith, isDryRun }: Registering,
): Promise<Issued> {
  const { cluster, signal, onProgress } = waiting;
  const { dir, registration } = project;
  const anchors = await signerAnchors(waiting, dir, registration);
  const unsigned: Issued = { chain: '', anchors };
  const check = async (): Promise<void> => {
    const ref = secretRef({ registration });
    const mayGet = await mayI(cluster, 'get', ref, signal);
    const isThere = mayGet && (await getObject(cluster, ref, signal)) !== undefined;
    const secret = [...secretNeeds({ registration }), ...(isThere ? [] : [{ verb: 'create', ref }])];
    const needs = [...signingNeeds, ...anchorNeeds(registration), ...secret];
    await checkRegistration(cluster, requestWith(unsigned), needs);
  };
  const request = async (): Promise<Issued> => {
    if (isDryRun) {
      const { namespace } = registration.metadata;
      onProgress({
        kind: 'note',
        what: `Secret ${namespace}/${secretName(registration)} is omitted, because a dry run does not request its certificate`,
      });
      return unsigned;
    }
    await check();
    const { clusterFlags = [] } = requestWith(unsigned);
    const issued = await requestCertificate(waiting, { registration, dir, anchors, clusterFlags });
    const written = saveSigned(dir, issued).filter((path) => !path.endsWith('.gitignore'));
    onProgress({ kind: 'note', what: `wrote ${written.join(', ')}` });
    return issued;
  };
  const known = { ...files, anchors: files.anchors.length > 0 ? files.anchors : anchors };
  return whenRefused(() => issuedInCluster(cluster, project, known, { signal, onProgress, otherwise: request }), check);
}
