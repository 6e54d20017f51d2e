import { generateKeyPairSync } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { createAuthority } from '../../pki/authority.ts';
import { issue } from '../../pki/leaf.ts';
import { PrivateKey } from '../../pki/private-key.ts';
import type { Authority, Leaf } from '../../pki/types.ts';

const keyType = 'ecdsa-p256';
/** Long enough that nothing warns of a CA that expires soon. */
const caLifetimeMs = 365 * 24 * 3_600_000;
const lifetimeMs = 24 * 3_600_000;

/** Paths of a certificate and its key, both PEM. */
export interface KeyPairFiles {
  readonly cert: string;
  readonly key: string;
}

/** The certificates and keys of a control plane. */
export interface ControlPlaneFiles {
  /** Signs kube-apiserver's serving certificate and the certificates of users and controllers. */
  readonly ca: KeyPairFiles;
  /**
   * Signs only the aggregator's client certificate. With the cluster's CA, every user could pose as
   * the front proxy (kubernetes.io, Configure the Aggregation Layer, "CA Reusage and Conflicts").
   */
  readonly frontProxyCa: KeyPairFiles;
  readonly frontProxyClient: KeyPairFiles;
  readonly serving: KeyPairFiles;
  /**
   * Authenticates kube-apiserver to kubelets. Its group is the one that kubeadm used until 1.28.
   */
  readonly kubeletClient: KeyPairFiles;
  /** Signs the certificates of etcd and kube-apiserver where others could reach etcd. */
  readonly etcdCa: KeyPairFiles;
  readonly etcd: KeyPairFiles;
  /** Signs ServiceAccount tokens. */
  readonly serviceAccountKey: string;
  readonly serviceAccountPublicKey: string;
}

/** The paths of these files under a state folder. */
export function controlPlaneFiles(stateDir: string): ControlPlaneFiles {
  const pair = (name: string): KeyPairFiles => ({ cert: join(stateDir, `${name}.crt`), key: join(stateDir, `${name}.key`) });
  return {
    ca: pair('ca'),
    frontProxyCa: pair('front-proxy-ca'),
    frontProxyClient: pair('front-proxy-client'),
    serving: pair('apiserver'),
    kubeletClient: pair('apiserver-kubelet-client'),
    etcdCa: pair('etcd-ca'),
    etcd: pair('etcd'),
    serviceAccountKey: join(stateDir, 'service-account.key'),
    serviceAccountPublicKey: join(stateDir, 'service-account.pub'),
  };
}

/**
 * Creates every file of `controlPlaneFiles`.
 * @param names - DNS names and IP addresses of kube-apiserver
 */
export async function writeControlPlaneFiles(files: ControlPlaneFiles, names: readonly string[], now: Date): Promise<void> {
  const authority = (commonName: string) => createAuthority({ commonName, keyType, lifetimeMs: caLifetimeMs, now });
  const [ca, frontProxyCa, etcdCa] = await Promise.all(
    ['kubernetes', 'kubernetes-front-proxy', 'etcd-ca'].map(authority) as [Promise<Authority>, Promise<Authority>, Promise<Authority>],
  );
  // One after the other, so that no write is in progress when another one has failed.
  await writePair(files.ca, ca);
  await writePair(files.frontProxyCa, frontProxyCa);
  await writePair(files.etcdCa, etcdCa);
  await writePair(files.serving, await servingCertificate(ca, 'kube-apiserver', names, now));
  await writePair(files.kubeletClient, await clientCertificate(ca, 'kube-apiserver-kubelet-client', ['system:masters'], now));
  await writePair(files.frontProxyClient, await clientCertificate(frontProxyCa, frontProxyName, [], now));
  await writePair(files.etcd, await etcdCertificate(etcdCa, now));
  await writeServiceAccountKeys(files);
}

/** The common name of kube-apiserver as the front proxy (`--requestheader-allowed-names`). */
export const frontProxyName = 'front-proxy-client';

/** Reads back the CA that signs users' certificates. */
export async function readAuthority({ cert, key }: KeyPairFiles): Promise<Authority> {
  return { certificates: await readFile(cert, 'utf8'), key: new PrivateKey(await readFile(key, 'utf8')) };
}

const none = { dns: [], ip: [] };
const common = { keyType, lifetimeMs } as const;

/** A client certificate: the common name is the user, the organizations are the groups. */
export const clientCertificate = (authority: Authority, user: string, groups: readonly string[], now: Date): Promise<Leaf> =>
  issue({ ...common, authority, subject: { commonName: user, organizations: groups }, names: none, usages: ['clientAuth'], now });

/** A serving certificate for DNS names and IP addresses. */
export function servingCertificate(authority: Authority, commonName: string, names: readonly string[], now: Date): Promise<Leaf> {
  const byKind = { dns: names.filter((name) => !isIP(name)), ip: names.filter((name) => isIP(name)) };
  return issue({ ...common, authority, subject: { commonName }, names: byKind, usages: ['serverAuth'], now });
}

/** Used by etcd and by its client, kube-apiserver. */
const etcdCertificate = (authority: Authority, now: Date): Promise<Leaf> => {
  const names = { dns: ['localhost'], ip: ['127.0.0.1'] };
  return issue({ ...common, authority, subject: { commonName: 'etcd' }, names, usages: ['serverAuth', 'clientAuth'], now });
};

/** Writes a certificate and its key; only the owner can read the key. */
export async function writePair(files: KeyPairFiles, { certificates, key }: Authority | Leaf): Promise<void> {
  await writeFile(files.cert, certificates);
  await writeFile(files.key, key.reveal(), { mode: 0o600 });
}

async function writeServiceAccountKeys({ serviceAccountKey, serviceAccountPublicKey }: ControlPlaneFiles): Promise<void> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  await writeFile(serviceAccountKey, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  await writeFile(serviceAccountPublicKey, publicKey.export({ type: 'spki', format: 'pem' }));
}
