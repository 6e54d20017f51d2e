import type { Cluster } from '../../cluster/cluster.ts';
import { getObject } from '../../cluster/objects.ts';
import { resourcePath, resources } from '../../cluster/resources.ts';
import { refusal } from '../../cluster/status.ts';
import { redacted } from '../../config/redact.ts';
import type { ApiDiagnosis } from '../../diagnosis/types.ts';
import { ApisvcError, InterruptedError } from '../../errors.ts';
import { timeText } from '../../pki/time-text.ts';

/** Events about objects without a namespace are in this one (k8s.io/client-go/tools/record). */
const namespace = 'default';

/** The limit of kube-apiserver (k8s.io/kubernetes/pkg/apis/core/validation/events.go). */
const longestMessage = 1024;

/** So many changes at once have one cause, and each of them is in the log. */
const mostEvents = 20;

export interface CreatingEvents {
  /** Of the run that found the changes: Events belong to its time limit. */
  readonly signal: AbortSignal;
  /** Writes a line about Events that were not created, which is no reason to stop. */
  readonly log: (line: string) => void;
}

/**
 * Creates an Event on each APIService whose state has changed, up to 20. Stops at the first that
 * fails: others usually fail for the same reason.
 * @throws InterruptedError; errors that are not failures of the cluster
 */
export async function createEvents(cluster: Cluster, changed: readonly ApiDiagnosis[], { signal, log }: CreatingEvents): Promise<void> {
  let left = changed.length;
  const logLeft = (why: string): void => log(`${left === 1 ? 'Event' : `${left} Events`} not created: ${why}`);
  try {
    for (const api of changed.slice(0, mostEvents)) {
      await createEvent(cluster, api, new Date(), signal);
      left -= 1;
    }
  } catch (error) {
    if (!(error instanceof ApisvcError) || error instanceof InterruptedError) throw error;
    return logLeft(redacted(error.message));
  }
  if (left > 0) logLeft(`each run creates at most ${mostEvents}`);
}

/**
 * Creates an Event on an APIService whose state has changed.
 * @throws ClusterError when it is not allowed, or the cluster does not answer
 */
async function createEvent(cluster: Cluster, { name, verdict, findings }: ApiDiagnosis, now: Date, signal: AbortSignal) {
  const { apiVersion, kind } = resources.APIService;
  const object = await getObject(cluster, { resource: resources.APIService, namespace: undefined, name }, signal);
  // `kubectl describe` selects events by the uid.
  const uid = (object?.metadata as { readonly uid?: string } | undefined)?.uid;
  const message = findings.map(({ code, title }) => `${code}: ${title}`).join('\n') || `The API is ${verdict}.`;
  const time = timeText(now.toISOString());
  const body = {
    apiVersion: 'v1',
    kind: 'Event',
    // As client-go names events (tools/record/event.go, makeEvent).
    metadata: { name: `${name}.${now.getTime().toString(16)}`, namespace },
    involvedObject: { apiVersion, kind, name, ...(uid === undefined ? {} : { uid }) },
    type: verdict === 'healthy' ? 'Normal' : 'Warning',
    reason: { healthy: 'Healthy', broken: 'Broken', unknown: 'NotChecked' }[verdict],
    message: message.slice(0, longestMessage),
    source: { component: 'apisvc' },
    reportingComponent: 'apisvc',
    firstTimestamp: time,
    lastTimestamp: time,
    count: 1,
  };
  const answer = await cluster.request({ method: 'POST', path: resourcePath(resources.Event, namespace), body, signal });
  if (answer.status !== 201)
    throw refusal(cluster, { verb: 'create', ref: { resource: resources.Event, namespace, name: '' } }, answer, now);
}
