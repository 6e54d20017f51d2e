import { ApiFailure } from '../shared/failure.ts';
import { apiVersionOf } from './kinds.ts';
import { checkListOptions } from './options.ts';
import { representationFor } from './representation.ts';
import { selectorOf } from './selectors.ts';
import type { Call, Kind, Obj, Simulation, StoreEvent } from './types.ts';

type EventType = 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';

/**
 * Answers a watch: what there is first, where that is asked for, and then every change until the
 * client, the time that it gave or the simulation ends
 * (k8s.io/apiserver/pkg/endpoints/handlers/watch.go and pkg/storage/cacher).
 * @throws ApiFailure before anything is answered
 */
export function answerWatch({ store, now, signal }: Pick<Simulation, 'store' | 'now' | 'signal'>, call: Call, kind: Kind): void {
  const { response, url, info } = call;
  checkListOptions(url);
  const isSelected = selectorOf(kind, url);
  const isWanted = (object: Obj): boolean =>
    (!info.namespace || kind.plural === 'namespaces' || object.metadata.namespace === info.namespace) &&
    (!info.name || object.metadata.name === info.name) &&
    isSelected(object);
  const representation = representationFor(call, kind, now);
  const since = versionOf(url, (why) => new ApiFailure(500, '', why));

  const tell = (type: EventType, object: Obj): void => void response.write(`${JSON.stringify({ type, object })}\n`);
  const tellOf = ({ type, object, before }: StoreEvent): void => {
    const was = before !== undefined && isWanted(before);
    const is = type !== 'DELETED' && isWanted(object);
    if (was && is) tell('MODIFIED', representation.event(object));
    else if (is) tell('ADDED', representation.event(object));
    // What left the selector's sight is told as it was when it was in it, with the version of the
    // change.
    else if (was)
      tell(
        'DELETED',
        representation.event({ ...before, metadata: { ...before.metadata, resourceVersion: object.metadata.resourceVersion } }),
      );
  };

  response.writeHead(200, { 'content-type': 'application/json' });
  response.flushHeaders();
  const missed = since === 0 ? [] : store.since(since);
  if (!missed) {
    const gone = new ApiFailure(410, 'Expired', `too old resource version: ${since} (${store.resourceVersion})`);
    tell('ERROR', gone.status());
    response.end();
    return;
  }
  const initial = url.searchParams.get('sendInitialEvents') === 'true';
  if (since === 0 || initial) for (const object of store.list(kind)) if (isWanted(object)) tell('ADDED', representation.event(object));
  if (initial && url.searchParams.get('allowWatchBookmarks') === 'true')
    tell('BOOKMARK', representation.event(endOfInitialEvents(kind, store.resourceVersion)));
  if (!initial) for (const event of missed) if (event.kind === kind) tellOf(event);

  const unsubscribe = store.subscribe((event) => event.kind === kind && tellOf(event));
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

/** What Node's timers can wait for. */
const longestTimerMs = 2 ** 31 - 1;

/** KEP-3157: tells a client that now it knows everything up to here. */
const endOfInitialEvents = (kind: Kind, resourceVersion: number): Obj => ({
  kind: kind.kind,
  apiVersion: apiVersionOf(kind),
  metadata: { resourceVersion: String(resourceVersion), annotations: { 'k8s.io/initial-events-end': 'true' } },
});

/**
 * The resourceVersion after which changes are wanted; 0 for `whatever there is now`.
 * @throws what `refuse` makes of the words for one that is none
 */
export function versionOf({ searchParams }: URL, refuse: (why: string) => ApiFailure): number {
  const text = searchParams.get('resourceVersion') ?? '';
  if (text === '') return 0;
  if (/^\d+$/.test(text)) return Number(text);
  const quoted = JSON.stringify(text);
  throw refuse(`resourceVersion: Invalid value: ${quoted}: strconv.ParseUint: parsing ${quoted}: invalid syntax`);
}
