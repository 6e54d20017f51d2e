import { ApiFailure, badRequest } from '../shared/failure.ts';
import { apiVersionOf } from './kinds.ts';
import { representationFor } from './representation.ts';
import { selectorOf } from './selectors.ts';
import type { Call, Kind, Obj, Simulation, StoreEvent } from './types.ts';

type EventType = 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';

/**
 * Answers a watch: the current objects, where the client asks for them, then every change until the
 * client, its timeoutSeconds or the simulation ends it
 * (k8s.io/apiserver/pkg/endpoints/handlers/watch.go and pkg/storage/cacher).
 * @throws ApiFailure before anything is answered
 */
export function answerWatch({ store, now, signal }: Pick<Simulation, 'store' | 'now' | 'signal'>, call: Call, kind: Kind): void {
  const { response, url, info } = call;
  const isSelected = selectorOf(url);
  const isWanted = (object: Obj): boolean =>
    (!info.namespace || kind.plural === 'namespaces' || object.metadata.namespace === info.namespace) &&
    (!info.name || object.metadata.name === info.name) &&
    isSelected(object);
  const { one } = representationFor(call, kind, now);
  const since = versionOf(url);

  const send = (type: EventType, object: Obj): void => void response.write(`${JSON.stringify({ type, object })}\n`);
  const sendChange = ({ type, object, before }: StoreEvent): void => {
    const was = before !== undefined && isWanted(before);
    const is = type !== 'DELETED' && isWanted(object);
    if (is) send(was ? 'MODIFIED' : 'ADDED', one(object));
    // An object that leaves the selection is sent as it was, with the version of the change.
    else if (was) send('DELETED', one({ ...before, metadata: { ...before.metadata, resourceVersion: object.metadata.resourceVersion } }));
  };

  response.writeHead(200, { 'content-type': 'application/json' });
  response.flushHeaders();
  const missed = since === 0 ? [] : store.since(since);
  if (!missed) {
    send('ERROR', new ApiFailure(410, 'Expired', `too old resource version: ${since} (${store.resourceVersion})`).status());
    response.end();
    return;
  }
  const initial = url.searchParams.get('sendInitialEvents') === 'true';
  if (since === 0 || initial) for (const object of store.list(kind)) if (isWanted(object)) send('ADDED', one(object));
  if (initial && url.searchParams.get('allowWatchBookmarks') === 'true')
    send('BOOKMARK', one(endOfInitialEvents(kind, store.resourceVersion)));
  if (!initial) for (const event of missed) if (event.kind === kind) sendChange(event);

  const unsubscribe = store.subscribe((event) => event.kind === kind && sendChange(event));
  const forget = (): void => {
    unsubscribe();
    clearTimeout(timer);
    signal.removeEventListener('abort', end);
  };
  const end = (): void => {
    forget();
    response.end();
  };
  const seconds = Number(url.searchParams.get('timeoutSeconds') ?? 0);
  const timer = seconds > 0 ? setTimeout(end, Math.min(seconds * 1000, longestTimerMs)) : undefined;
  signal.addEventListener('abort', end, { once: true });
  response.once('close', forget);
}

/** The limit of Node's timers. */
const longestTimerMs = 2 ** 31 - 1;

/** KEP-3157: the client has the current state. */
const endOfInitialEvents = (kind: Kind, resourceVersion: number): Obj => ({
  kind: kind.kind,
  apiVersion: apiVersionOf(kind),
  metadata: { resourceVersion: String(resourceVersion), annotations: { 'k8s.io/initial-events-end': 'true' } },
});

/** The resourceVersion of the query; 0 without one. @throws ApiFailure 400 */
export function versionOf({ searchParams }: URL): number {
  const version = searchParams.get('resourceVersion') || '0';
  if (!/^\d+$/.test(version)) throw badRequest(`invalid resource version: ${JSON.stringify(version)}`);
  return Number(version);
}
