import { readFile, writeFile } from 'node:fs/promises';
import { stringify } from 'yaml';
import { type ControlPlaneFiles, clientCertificate, readAuthority } from './credentials.ts';

/**
 * Who asks: a client certificate with its key (PEM), or a ServiceAccount's token, with the path of
 * a file that has a fresh one where there is such a file.
 */
export type Identity = { readonly certificate: string; readonly key: string } | { readonly token: string; readonly tokenFile?: string };

export interface KubeconfigTarget {
  /** e.g. https://10.88.1.2:6443 */
  readonly server: string;
  readonly files: Pick<ControlPlaneFiles, 'ca'>;
}

/**
 * Writes a kubeconfig with one cluster, one user and one context, all called `name`; it needs no
 * other file.
 */
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

/**
 * Writes a kubeconfig for any user of a control plane: whoever holds its CA says who a user is.
 * @param now - the certificate is valid for a day from here; a day in the past makes an expired one
 * @param name - what cluster, user and context are called; the user's name without it
 */
export async function writeUserKubeconfig(
  path: string,
  target: KubeconfigTarget,
  {
    user,
    groups,
    now,
    name = user,
  }: { readonly user: string; readonly groups: readonly string[]; readonly now: Date; readonly name?: string },
): Promise<void> {
  const { certificates, key } = await clientCertificate(await readAuthority(target.files.ca), user, groups, now);
  await writeKubeconfig(path, name, target, { certificate: certificates, key: key.reveal() });
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');
