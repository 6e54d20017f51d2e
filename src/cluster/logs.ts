import type { Cluster } from './cluster.ts';
import { Unreachable } from './faults.ts';
import { resourcePath, subresources } from './resources.ts';
import { readStatus, refusal } from './status.ts';

/** The container whose log is read, and how many lines. */
export interface LogRequest {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  /**
   * Whether to read the log before the last restart. Needed only for a container that runs again.
   */
  readonly previous: boolean;
  /** The most lines that are returned. */
  readonly lines: number;
}

/** The end of a log without empty lines, or why there is none. */
export type LastLog =
  | { readonly kind: 'lines'; readonly lines: readonly string[] }
  | { readonly kind: 'none' | 'forbidden'; readonly words: string };

/** Room for empty lines at the end of a log. */
const emptyLines = 20;
/**
 * The longest line of a container runtime (max_container_log_line_size of containerd). limitBytes
 * must not cut the end of the log off.
 */
const lineBytes = 16 * 1024 + 1;

/**
 * The body of a 200 of the kubelet for a log that no longer exists
 * (k8s.io/kubernetes/pkg/kubelet/kuberuntime/kuberuntime_container.go, GetContainerLogs).
 */
const gone = /^(unable to retrieve container logs for|failed to try resolving symlinks in path) /;

/**
 * Reads the last lines of a container's log.
 * @returns `none` also when the cluster does not answer, because a log is only additional
 * information
 * @throws the reason of the signal
 */
export async function lastLogLines(
  cluster: Cluster,
  { namespace, pod, container, previous, lines }: LogRequest,
  signal: AbortSignal,
): Promise<LastLog> {
  const ref = { resource: subresources.podLog, namespace, name: pod };
  const tailLines = lines + emptyLines;
  const query = { container, previous: String(previous), tailLines: String(tailLines), limitBytes: String(tailLines * lineBytes) };
  try {
    const answer = await cluster.request({ path: resourcePath(ref.resource, namespace, pod), query, signal });
    if (answer.status === 403) {
      const { message, fix } = refusal(cluster, { verb: 'get', ref }, answer, new Date());
      return { kind: 'forbidden', words: `${message}. ${fix}` };
    }
    // k8s.io/kubernetes/pkg/registry/core/pod/strategy.go, LogLocation.
    if (answer.status === 204) return { kind: 'none', words: 'the pod is not scheduled yet' };
    if (answer.status !== 200) return { kind: 'none', words: readStatus(answer).message };
    const found = answer.body.split('\n').filter((line) => line.trim() !== '');
    return gone.test(answer.body) ? { kind: 'none', words: found.join(' ') } : { kind: 'lines', lines: found.slice(-lines) };
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error;
    return { kind: 'none', words: error.message };
  }
}
