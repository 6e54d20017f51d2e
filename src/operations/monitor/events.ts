import type { Cluster } from '../../cluster/cluster.ts';
import { getObject } from '../../cluster/objects.ts';
import { resourcePath, resources } from '../../cluster/resources.ts';
import { refusal } from '../../cluster/status.ts';
import type { ApiDiagnosis } from '../../diagnosis/types.ts';
import { timeText } from '../../pki/time-text.ts';

/** Events about objects without a namespace are in this one (k8s.io/client-go/tools/record). */
const namespace = 'default';

/** The limit of kube-apiserver (k8s.io/kubernetes/pkg/apis/core/validation/events.go). */
const longestMessage = 1024;

/**
 * Creates an Event on an APIService whose state has changed.
 * @throws ClusterError when it is not allowed, or the cluster does not answer
 */
export async function createEvent(cluster: Cluster, { name, verdict, findings }: ApiDiagnosis, now: Date, signal: AbortSignal) {
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
