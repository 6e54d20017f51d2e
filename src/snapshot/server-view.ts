import type { KubeObject } from '../manifests/types.ts';
import { entryAt, type SecretMount, secretMounts } from './secret-mounts.ts';
import { type Container, certificateFiles, containersOf, flagsOf, flagValue, wordsOf } from './server-flags.ts';
import { type NamedFile, namedFiles } from './serving-files.ts';
import type { ServerView } from './types.ts';
import { type Json, listOf, textOf } from './views.ts';
import { allContainers, volumeAt } from './volumes.ts';

/** The pod whose configuration is read: a ready one, otherwise one that runs. */
export function chooseServer(pods: readonly KubeObject[]): KubeObject | undefined {
  const rank = ({ metadata, status }: KubeObject & Json): number => {
    if (metadata.deletionTimestamp !== undefined) return 3;
    if (listOf(status?.conditions).some(({ type, status: is }) => type === 'Ready' && is === 'True')) return 0;
    return status?.phase === 'Running' ? 1 : 2;
  };
  return pods.toSorted((one, other) => rank(one) - rank(other))[0];
}

/**
 * The ServiceAccount of a pod. `serviceAccount` is a deprecated alias
 * (k8s.io/kubernetes/pkg/apis/core/v1/conversion.go, Convert_v1_PodSpec_To_core_PodSpec).
 */
export const serviceAccountOf = (spec: Json): string => textOf(spec?.serviceAccountName) || textOf(spec?.serviceAccount) || 'default';

/** Flags that only a server has. */
const servingFlags = ['secure-port', 'tls-cert-file', 'cert-dir'];

/**
 * The container that kube-apiserver reaches. A pod may also contain a proxy that terminates TLS,
 * with the same flags. Prefers the container that declares the port, then the one whose flags name
 * it, then the only one that serves.
 * @param targetPort name or number of the container port behind the port of the Service; undefined
 * where the Service lacks the port
 * @returns undefined where several containers serve, and none is known to use the port
 */
export function servingContainer(pod: KubeObject & Json, targetPort: string | undefined): Container | undefined {
  const { container, candidates } = findContainer(pod, targetPort);
  return container ?? (candidates.some(hasServingFlags) ? undefined : candidates[0]);
}

/** The container that certainly serves, otherwise all that may. */
function findContainer(
  pod: KubeObject & Json,
  targetPort: string | undefined,
): { readonly container: Container | undefined; readonly candidates: readonly Container[] } {
  const containers = [...containersOf(pod), ...listOf(pod.spec?.initContainers).filter(({ restartPolicy }) => restartPolicy === 'Always')];
  const declares = ({ ports }: Container) =>
    listOf(ports).some(
      ({ name, containerPort, protocol }) => (protocol ?? 'TCP') === 'TCP' && (name === targetPort || String(containerPort) === targetPort),
    );
  const at = targetPort === undefined ? undefined : containers.find(declares);
  const named = containers.find((container) => targetPort !== undefined && flagValue(flagsOf(container), 'secure-port') === targetPort);
  const servers = containers.filter(hasServingFlags);
  const candidates = servers.length > 0 ? servers : containers;
  return { container: at ?? named ?? (candidates.length === 1 ? candidates[0] : undefined), candidates };
}

const hasServingFlags = (container: Container): boolean => servingFlags.some((name) => flagValue(flagsOf(container), name) !== undefined);

/**
 * @param pod a Pod
 * @param targetPort name or number of the container port behind the port of the Service; undefined
 * where the Service lacks the port
 * @returns the configuration of the container that serves there
 */
export function viewServer(pod: KubeObject & Json, targetPort: string | undefined): ServerView {
  const container = servingContainer(pod, targetPort) ?? {};
  const secret = certificateSource(pod, targetPort)?.secret ?? onlyNamed(namedFiles(container, secretMounts(pod, container)));
  return {
    pod: pod.metadata.name,
    serviceAccount: serviceAccountOf(pod.spec),
    flags: flagsOf(container),
    secrets: secretMounts(pod, container).map(({ name, mountPath, subPath }) => ({ name, mountPath, subPath: subPath !== undefined })),
    startedAt: startedAt(pod, container),
    ...(secret === undefined ? {} : { certificateSecret: secret }),
  };
}

/** The only Secret with a file that is named as the serving certificate. */
export function onlyNamed(files: readonly NamedFile[]): string | undefined {
  const secrets = new Set(files.flatMap(({ secret, role }) => (role === 'certificate' ? [secret] : [])));
  return secrets.size === 1 ? [...secrets][0] : undefined;
}

/** When a container started, which may be long after its pod did. */
function startedAt({ status }: KubeObject & Json, { name }: Container): string | undefined {
  const statuses = [...listOf(status?.containerStatuses), ...listOf(status?.initContainerStatuses)];
  const running = statuses.find((each) => each.name === name)?.state?.running;
  return textOf(running?.startedAt ?? status?.startTime) || undefined;
}

/** The entries of a Secret that a server reads as its certificate and key. */
export interface CertificateSource {
  readonly secret: string;
  readonly certificateEntry: string;
  /** Undefined where the key is in another place. */
  readonly keyEntry: string | undefined;
}

/**
 * Finds the Secret with the certificate of a server by its flags and mounts.
 * @param targetPort as for `viewServer`
 * @returns undefined when no flag names a file, or the file is not from a Secret
 */
export function certificateSource(pod: KubeObject, targetPort: string | undefined): CertificateSource | undefined {
  const container = servingContainer(pod, targetPort) ?? {};
  const mounts = secretMounts(pod, container);
  const files = certificateFiles(flagsOf(container));
  const certificate = files.certificate === undefined ? undefined : entryAt(mounts, files.certificate);
  if (!certificate) return undefined;
  const key = files.key === undefined ? undefined : entryAt(mounts, files.key);
  return {
    secret: certificate.secret,
    certificateEntry: certificate.entry,
    keyEntry: key?.secret === certificate.secret ? key.entry : undefined,
  };
}

/** What a pod tells about the Secret with its serving certificate. */
export type CertificateLead =
  | { readonly kind: 'file'; readonly source: CertificateSource }
  /** One of several mounted Secrets may have it. */
  | { readonly kind: 'mounts'; readonly mounts: readonly SecretMount[]; readonly named: readonly NamedFile[] }
  /** No Secret has it. */
  | { readonly kind: 'none'; readonly words: string }
  | { readonly kind: 'unknown'; readonly words: string };

/**
 * Where the container that serves is not known, or another one copies the certificate, any Secret
 * of the pod may have it.
 * @param targetPort as for `viewServer`
 */
export function certificateLead(pod: KubeObject, targetPort: string | undefined): CertificateLead {
  const source = certificateSource(pod, targetPort);
  const { container } = findContainer(pod, targetPort);
  // The other pair counts for clients without a matching server name.
  const byName = container !== undefined && hasNamedPairs(container);
  if (source && !byName) return { kind: 'file', source };
  const ofPod = allContainers(pod).flatMap((each) => secretMounts(pod, each));
  if (!container) {
    const words = `several containers may serve${targetPort === undefined ? '' : `, and none declares port ${targetPort}`}`;
    return ofPod.length > 0 ? { kind: 'mounts', mounts: ofPod, named: [] } : { kind: 'unknown', words };
  }
  const { certificate } = certificateFiles(flagsOf(container));
  if (certificate !== undefined && !byName) return leadOfFile(pod, container, certificate, ofPod);
  const mounts = secretMounts(pod, container);
  if (mounts.length === 0) return { kind: 'none', words: 'the container mounts no Secret' };
  return { kind: 'mounts', mounts, named: namedFiles(container, mounts) };
}

/**
 * Whether a server chooses its certificate by the server name of the client
 * (k8s.io/apiserver/pkg/server/options/serving.go, --tls-sni-cert-key).
 */
export const hasNamedPairs = (container: Container): boolean =>
  wordsOf(container).some((word) => /^--?tls[-_]sni[-_]cert[-_]key\b/.test(word));

/** A certificate file that is in no Secret. */
function leadOfFile(pod: KubeObject, container: Container, file: string, ofPod: readonly SecretMount[]): CertificateLead {
  const volume = volumeAt(pod, container, file);
  if (volume?.type === 'emptyDir' && volume.shared && ofPod.length > 0) return { kind: 'mounts', mounts: ofPod, named: [] };
  const flags = flagsOf(container);
  const folder = flagValue(flags, 'cert-dir');
  const named = flagValue(flags, 'tls-cert-file') !== undefined;
  if (!named && folder !== undefined)
    return { kind: 'none', words: `the server reads or creates its certificate in ${folder} (--cert-dir)` };
  if (volume && volume.type !== 'emptyDir') return { kind: 'none', words: `${file} is in a volume of type ${volume.type}` };
  return { kind: 'unknown', words: `--tls-cert-file=${file} is not in a Secret that the container mounts` };
}
