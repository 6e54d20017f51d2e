import type { Cluster } from './cluster.ts';
import { Unreachable } from './faults.ts';
import { resourcePath, subresources } from './resources.ts';
import { readStatus, refusal } from './status.ts';

/** Which container's log, and how much of its end. */
export interface LogRequest {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  /** The log from before the last restart, for a container that runs again. Of one that has ended or waits, the kubelet shows the last log without this. */
  readonly previous: boolean;
  /** Most lines that are wanted. */
  readonly lines: number;
}

/** The end of a log, without empty lines; or why there is none. */
export type LastLog =
  | { readonly kind: 'lines'; readonly lines: readonly string[] }
  | { readonly kind: 'none' | 'forbidden'; readonly words: string };

/** Programs like to leave with a few empty lines, which say nothing. */
const emptyLines = 20;
/** The limit cuts the end off, so it is the most that so many lines have: container runtimes break longer ones (max_container_log_line_size of containerd). */
const lineBytes = 16 * 1024 + 1;

/** What the kubelet writes in place of a log that is gone, after it has answered 200 (k8s.io/kubernetes/pkg/kubelet/kuberuntime/kuberuntime_container.go, GetContainerLogs). */
const gone = /^(unable to retrieve container logs for|failed to try resolving symlinks in path) /;

/**
 * Reads the last lines of a container's log.
 * @returns why there is none also for a cluster that does not answer: a log only adds to what is known otherwise
 * @throws the signal's reason
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
    if (answer.status === 204) return { kind: 'none', words: 'the pod is on no node yet' };
    if (answer.status !== 200) return { kind: 'none', words: readStatus(answer).message };
    const found = answer.body.split('\n').filter((line) => line.trim() !== '');
    return gone.test(answer.body) ? { kind: 'none', words: found.join(' ') } : { kind: 'lines', lines: found.slice(-lines) };
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error;
    return { kind: 'none', words: error.message };
  }
}
