import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from './client.ts';

/** What a control plane says of an APIService by itself, in its own time. */
export interface Observed {
  /** The Available condition, but for its time; undefined where none is written. */
  readonly condition: unknown;
  /**
   * Its version as the list of all APIs has it (KEP-3352); undefined where it is not among them.
   */
  readonly listed: unknown;
}

export interface Observer {
  /** Waits until both stay as they are. */
  settled(apiService: string): Promise<Observed>;
  stop(): Promise<void>;
}

// In looks and not in seconds: where kube-apiserver is slow, so are its answers, and then the looks
// take longer too.
const intervalMs = 250;
/** During as many looks nothing may change. */
const stillLooks = 9;
/** Since 1.37 kube-apiserver writes no condition where it can't read a caBundle. */
const looksWithoutCondition = 34;

/** There is no such APIService. */
const absent: Observed = { condition: undefined, listed: undefined };

// biome-ignore lint/suspicious/noExplicitAny: JSON.
type Json = any;

/** Looks at all APIServices again and again, as long as somebody waits for one. */
export function createObserver(admin: Client): Observer {
  const waiting = new Set<() => void>();
  let [seen, running] = [new Map<string, Observed>(), Promise.resolve()];

  const look = async (): Promise<void> => {
    while (waiting.size > 0) {
      seen = await observe(admin);
      for (const told of [...waiting]) told();
      await sleep(intervalMs);
    }
  };
  const settled = (apiService: string): Promise<Observed> =>
    new Promise((resolve) => {
      let [last, same, looks] = ['', 0, 0];
      const told = (): void => {
        const found = seen.get(apiService) ?? absent;
        const text = JSON.stringify(found);
        [last, same, looks] = [text, text === last ? same + 1 : 0, looks + 1];
        if (same < stillLooks) return;
        if (found !== absent && found.condition === undefined && looks < looksWithoutCondition) return;
        waiting.delete(told);
        resolve(found);
      };
      waiting.add(told);
      if (waiting.size === 1) running = running.then(look);
    });
  return { settled, stop: () => running };
}

const aggregated = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

async function observe({ ask }: Client): Promise<Map<string, Observed>> {
  const [apiServices, groups] = await Promise.all([
    ask('GET', '/apis/apiregistration.k8s.io/v1/apiservices'),
    ask('GET', '/apis', { headers: { accept: aggregated } }),
  ]);
  const listed = new Map<string, unknown>(
    (groups.body as Json).items.flatMap(({ metadata, versions }: Json) =>
      versions.map((version: Json) => [`${version.version}.${metadata.name}`, version]),
    ),
  );
  return new Map(
    (apiServices.body as Json).items.map(({ metadata: { name }, status }: Json) => [
      name,
      { condition: conditionOf(status), listed: listed.get(name) },
    ]),
  );
}

function conditionOf(status: Json): unknown {
  const { lastTransitionTime: _, ...condition } = status?.conditions?.find(({ type }: Json) => type === 'Available') ?? {};
  return condition.type === undefined ? undefined : condition;
}
