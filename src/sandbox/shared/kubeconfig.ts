import { readFile, writeFile } from 'node:fs/promises';
import { stringify } from 'yaml';
import { type ControlPlaneFiles, clientCertificate, readAuthority } from './credentials.ts';

/**
 * A client certificate and its key (PEM), or a ServiceAccount token and a file that keeps it fresh.
 */
type Identity = ClientCertificate | { readonly token: string; readonly tokenFile?: string };

/** PEM. */
interface ClientCertificate {
  readonly certificate: string;
  readonly key: string;
}

export interface KubeconfigTarget {
  /** e.g. https://10.88.1.2:6443 */
  readonly server: string;
  readonly files: Pick<ControlPlaneFiles, 'ca'>;
}

/** Writes a self-contained kubeconfig whose cluster, user and context are called `name`. */
export async function writeKubeconfig(path: string, name: string, { server, files }: KubeconfigTarget, identity: Identity): Promise<void> {
  const ca = await readFile(files.ca.cert, 'utf8');
  const user =
    'token' in identity
      ? { token: identity.token, tokenFile: identity.tokenFile }
      : { 'client-certificate-data': base64(identity.certificate), 'client-key-data': base64(identity.key) };
  const kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server, 'certificate-authority-data': base64(ca) } }],
    users: [{ name, user }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    'current-context': name,
  };
  await writeFile(path, stringify(kubeconfig, { lineWidth: 0 }), { mode: 0o600 });
}

interface User {
  readonly user: string;
  readonly groups: readonly string[];
  /** The certificate is valid for a day from here. */
  readonly now: Date;
  /** Of cluster, user and context; by default the user's name. */
  readonly name?: string;
}

/**
 * Writes a kubeconfig for any user, with a certificate signed by the CA of the control plane.
 * @returns the certificate
 */
export async function writeUserKubeconfig(
  path: string,
  target: KubeconfigTarget,
  { user, groups, now, name = user }: User,
): Promise<ClientCertificate> {
  const { certificates, key } = await clientCertificate(await readAuthority(target.files.ca), user, groups, now);
  const identity = { certificate: certificates, key: key.reveal() };
  await writeKubeconfig(path, name, target, identity);
  return identity;
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');
