import type { KubeObject } from '../manifests/types.ts';
import { entryAt, secretMounts } from './secret-mounts.ts';
import { type Container, certificateFiles, flagsOf, flagValue } from './server-flags.ts';
import type { ServerView } from './types.ts';
import { listOf, textOf } from './views.ts';

// biome-ignore lint/suspicious/noExplicitAny: JSON of a Kubernetes object; every field read below is checked or defaulted.
type Json = any;

/** The one pod to look at: a ready one tells what works, otherwise one that runs. */
export function chooseServer(pods: readonly KubeObject[]): KubeObject | undefined {
  const rank = ({ metadata, status }: KubeObject & Json): number => {
    if (metadata.deletionTimestamp !== undefined) return 3;
    if (listOf(status?.conditions).some(({ type, status: is }) => type === 'Ready' && is === 'True')) return 0;
    return status?.phase === 'Running' ? 1 : 2;
  };
  return pods.toSorted((one, other) => rank(one) - rank(other))[0];
}

/** Flags of a server that listens, and is no client only. */
const serving = ['secure-port', 'tls-cert-file', 'cert-dir'];

/**
 * The container that kube-apiserver reaches: beside a server there may be a proxy that ends TLS, with flags of the same names. It is the one with the port,
 * else, since to declare ports is a matter of taste, the one whose flags name it, else the only one that serves at all.
 * @param targetPort name or number of the container port that the Service leads to; undefined where no port of it is the right one
 * @returns undefined where several serve, and none is known to be at the port
 */
function servingContainer({ spec }: KubeObject & Json, targetPort: string | undefined): Container | undefined {
  const containers = [
    ...listOf(spec?.containers),
    ...listOf(spec?.initContainers).filter(({ restartPolicy }) => restartPolicy === 'Always'),
  ];
  const declares = ({ ports }: Container) =>
    listOf(ports).some(
      ({ name, containerPort, protocol }) => (protocol ?? 'TCP') === 'TCP' && (name === targetPort || String(containerPort) === targetPort),
    );
  const at = targetPort === undefined ? undefined : containers.find(declares);
  const named = containers.find((container) => targetPort !== undefined && flagValue(flagsOf(container), 'secure-port') === targetPort);
  if (at ?? named) return at ?? named;
  const servers = containers.filter((container) => serving.some((name) => flagValue(flagsOf(container), name) !== undefined));
  return servers.length > 1 ? undefined : (servers[0] ?? containers[0]);
}

/**
 * @param pod a Pod
 * @param targetPort of the Service, as for `certificateSource`
 * @returns what is known of the container that serves there
 */
export function viewServer(pod: KubeObject & Json, targetPort: string | undefined): ServerView {
  const container = servingContainer(pod, targetPort) ?? {};
  return {
    pod: pod.metadata.name,
    serviceAccount: textOf(pod.spec?.serviceAccountName) || 'default',
    flags: flagsOf(container),
    secrets: secretMounts(pod, container).map(({ name, mountPath, subPath }) => ({ name, mountPath, subPath: subPath !== undefined })),
    startedAt: startedAt(pod, container),
  };
}

/** When a container was started, which may be long after its pod was. */
function startedAt({ status }: KubeObject & Json, { name }: Container): string | undefined {
  const statuses = [...listOf(status?.containerStatuses), ...listOf(status?.initContainerStatuses)];
  const running = statuses.find((each) => each.name === name)?.state?.running;
  return textOf(running?.startedAt ?? status?.startTime) || undefined;
}

/** Which entries of which Secret a server is given as its certificate and key. */
export interface CertificateSource {
  readonly secret: string;
  readonly certificateEntry: string;
  /** Undefined where the key is not in the same Secret. */
  readonly keyEntry: string | undefined;
}

/**
 * Follows the flags of a server to the Secret that holds its certificate.
 * @param targetPort name or number of the container port that the Service leads to; undefined where no port of it is the right one
 * @returns undefined when no flag names a file, or the file is no part of a Secret
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
