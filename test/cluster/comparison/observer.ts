import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from './client.ts';

/** The state of an APIService that the control plane writes by itself. */
export interface Observed {
  /** The Available condition without its time; undefined without one. */
  readonly condition: unknown;
  /** Its version in aggregated discovery (KEP-3352); undefined when it is not listed. */
  readonly listed: unknown;
}

export interface Observer {
  /** Waits until both are stable. */
  settled(apiService: string): Promise<Observed>;
  stop(): Promise<void>;
}

// Counted in polls and not in seconds: where kube-apiserver is slow, polls take longer too.
const intervalMs = 250;
/** Polls without a change. */
const stablePolls = 9;
/** Since 1.37 kube-apiserver writes no condition for an invalid caBundle. */
const pollsWithoutCondition = 34;
/** kube-apiserver lists an available API late where servers that hang occupy its workers. */
const pollsWithoutList = 80;

const absent: Observed = { condition: undefined, listed: undefined };

// biome-ignore lint/suspicious/noExplicitAny: JSON.
type Json = any;

/** Polls all APIServices while a step waits for one. */
export function createObserver(admin: Client): Observer {
  const waiting = new Set<() => void>();
  let [observed, running] = [new Map<string, Observed>(), Promise.resolve()];

  const poll = async (): Promise<void> => {
    while (waiting.size > 0) {
      observed = await observe(admin);
      for (const notify of [...waiting]) notify();
      await sleep(intervalMs);
    }
  };
  const settled = (apiService: string): Promise<Observed> =>
    new Promise((resolve) => {
      let [last, same, polls] = ['', 0, 0];
      const notify = (): void => {
        const found = observed.get(apiService) ?? absent;
        const text = JSON.stringify(found);
        [last, same, polls] = [text, text === last ? same + 1 : 0, polls + 1];
        if (same < stablePolls) return;
        if (found !== absent && found.condition === undefined && polls < pollsWithoutCondition) return;
        if (isTrue(found) && found.listed === undefined && polls < pollsWithoutList) return;
        waiting.delete(notify);
        resolve(found);
      };
      waiting.add(notify);
      if (waiting.size === 1) running = running.then(poll);
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

const isTrue = ({ condition }: Observed): boolean => (condition as Json)?.status === 'True';

function conditionOf(status: Json): unknown {
  const { lastTransitionTime: _, ...condition } = status?.conditions?.find(({ type }: Json) => type === 'Available') ?? {};
  return condition.type === undefined ? undefined : condition;
}
