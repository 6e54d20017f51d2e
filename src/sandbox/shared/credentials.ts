import { generateKeyPairSync } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { createAuthority } from '../../pki/authority.ts';
import { issue } from '../../pki/leaf.ts';
import { PrivateKey } from '../../pki/private-key.ts';
import type { Authority, Leaf } from '../../pki/types.ts';

const keyType = 'ecdsa-p256';
/** Longer than any warning that a CA ends soon reaches ahead. */
const caLifetimeMs = 365 * 24 * 3_600_000;
const lifetimeMs = 24 * 3_600_000;

/** Paths of a certificate and its key, both PEM. */
export interface KeyPairFiles {
  readonly cert: string;
  readonly key: string;
}

/** The files that the components of a control plane are given. */
export interface ControlPlaneFiles {
  /** Signs kube-apiserver's serving certificate and the certificates of users and controllers. */
  readonly ca: KeyPairFiles;
  /**
   * Signs the aggregator's client certificate alone. Were it also the cluster's CA, every user
   * could pose as the front proxy (kubernetes.io, Configure the Aggregation Layer, "CA Reusage and
   * Conflicts").
   */
  readonly frontProxyCa: KeyPairFiles;
  readonly frontProxyClient: KeyPairFiles;
  readonly serving: KeyPairFiles;
  /**
   * What kube-apiserver shows to kubelets for logs, exec and port-forward; as kubeadm made it until
   * 1.28, of the group that may do everything.
   */
  readonly kubeletClient: KeyPairFiles;
  /** Signs what etcd and kube-apiserver show each other where others could reach etcd too. */
  readonly etcdCa: KeyPairFiles;
  readonly etcd: KeyPairFiles;
  /** Signs ServiceAccount tokens. */
  readonly serviceAccountKey: string;
  readonly serviceAccountPublicKey: string;
}

/** Where the files are, or will be, under a state folder. */
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
 * Makes every file of `controlPlaneFiles`.
 * @param names - DNS names and IP addresses of kube-apiserver
 */
export async function writeControlPlaneFiles(files: ControlPlaneFiles, names: readonly string[], now: Date): Promise<void> {
  const authority = (commonName: string) => createAuthority({ commonName, keyType, lifetimeMs: caLifetimeMs, now });
  const [ca, frontProxyCa, etcdCa] = await Promise.all([
    authority('kubernetes'),
    authority('kubernetes-front-proxy'),
    authority('etcd-ca'),
  ]);
  const [serving, kubeletClient, frontProxyClient, etcd] = await Promise.all([
    servingCertificate(ca, 'kube-apiserver', names, now),
    clientCertificate(ca, 'kube-apiserver-kubelet-client', ['system:masters'], now),
    clientCertificate(frontProxyCa, frontProxyName, [], now),
    peerCertificate(etcdCa, now),
  ]);
  await Promise.all([
    writePair(files.ca, ca),
    writePair(files.frontProxyCa, frontProxyCa),
    writePair(files.serving, serving),
    writePair(files.kubeletClient, kubeletClient),
    writePair(files.frontProxyClient, frontProxyClient),
    writePair(files.etcdCa, etcdCa),
    writePair(files.etcd, etcd),
    writeServiceAccountKeys(files),
  ]);
}

/**
 * The common name that kube-apiserver gives itself towards extension API servers
 * (`--requestheader-allowed-names`).
 */
export const frontProxyName = 'front-proxy-client';

/** Reads back the CA that signs users' certificates. */
export async function readAuthority({ cert, key }: KeyPairFiles): Promise<Authority> {
  return { certificates: await readFile(cert, 'utf8'), key: new PrivateKey(await readFile(key, 'utf8')) };
}

/**
 * A client certificate: to kube-apiserver the common name is the user and the organizations are the
 * groups.
 */
export const clientCertificate = (authority: Authority, user: string, groups: readonly string[], now: Date): Promise<Leaf> =>
  issue({
    authority,
    subject: { commonName: user, organizations: groups },
    names: { dns: [], ip: [] },
    usages: ['clientAuth'],
    keyType,
    lifetimeMs,
    now,
  });

/** A serving certificate for DNS names and IP addresses. */
export const servingCertificate = (authority: Authority, commonName: string, names: readonly string[], now: Date): Promise<Leaf> =>
  issue({
    authority,
    subject: { commonName },
    names: { dns: names.filter((name) => !isIP(name)), ip: names.filter((name) => isIP(name)) },
    usages: ['serverAuth'],
    keyType,
    lifetimeMs,
    now,
  });

/** For both sides of a connection on loopback. */
const peerCertificate = (authority: Authority, now: Date): Promise<Leaf> =>
  issue({
    authority,
    subject: { commonName: 'etcd' },
    names: { dns: ['localhost'], ip: ['127.0.0.1'] },
    usages: ['serverAuth', 'clientAuth'],
    keyType,
    lifetimeMs,
    now,
  });

/** Writes a certificate and its key, which only the owner may read. */
export async function writePair(files: KeyPairFiles, { certificates, key }: Authority | Leaf): Promise<void> {
  await writeFile(files.cert, certificates);
  await writeFile(files.key, key.reveal(), { mode: 0o600 });
}

async function writeServiceAccountKeys({ serviceAccountKey, serviceAccountPublicKey }: ControlPlaneFiles): Promise<void> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  await writeFile(serviceAccountKey, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  await writeFile(serviceAccountPublicKey, publicKey.export({ type: 'spki', format: 'pem' }));
}
