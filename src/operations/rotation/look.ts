import { type CollectContext, collectContext } from '../../snapshot/collect/context.ts';
import type { JudgedProbe } from '../../snapshot/endpoint-evidence.ts';
import { describeServed, type Served, servedByAll } from '../served.ts';
import { whileValid } from './clock.ts';
import { type Rotation, serviceOf } from './rotation.ts';

/** What all pods and endpoints serve at one moment, compared with the set that they must serve. */
export interface Look extends Served {
  /** Whether everything serves the certificate, and at least one server exists. */
  readonly complete: boolean;
  /** Those that serve another certificate. */
  readonly others: readonly JudgedProbe[];
  /** Those that serve another one, and those that could not be looked at, in words. */
  readonly remaining: readonly string[];
}

export type LookAtAll = () => Promise<Look>;

/**
 * Looks at every pod and endpoint: which ones serve exactly the new certificate, by its CA alone.
 */
export function lookAtAll(rotation: Rotation): LookAtAll {
  const { registration, to, cluster, signal, direction } = rotation;
  const now = direction === 'back' ? whileValid(to, rotation.now) : rotation.now;
  const context: CollectContext = collectContext(cluster, signal);
  const { namespace, name: service } = serviceOf(rotation);
  const request = { namespace, service, port: registration.spec.service.port, roots: to.anchors, leaf: to.leaf };
  return async () => judgeLook(await servedByAll(context, { ...request, now: now() }), rotation);
}

/** What is not served, or not known to be served, keeps a look from being complete. */
export function judgeLook(served: Served, { from, registration, direction }: Pick<Rotation, 'from' | 'registration' | 'direction'>): Look {
  const { probes, waiting } = served;
  const bad = probes.filter(({ evidence }) => evidence !== 'good');
  const { port } = registration.spec.service;
  const none = probes.length === 0 && waiting.length === 0 ? [`no pod or endpoint serves port ${port} of the Service`] : [];
  return {
    ...served,
    complete: bad.length === 0 && waiting.length === 0 && none.length === 0,
    others: bad.filter(({ evidence, handshake }) => evidence === 'wrong' && handshake.kind === 'served'),
    remaining: [...bad.map((probe) => describe(probe, from?.leaf, direction === 'back' ? 'new' : 'old')), ...waiting, ...none],
  };
}

/** The certificate that is left is what is expected to be served for a while. */
function describe(probe: JudgedProbe, leaving: string | undefined, which: 'old' | 'new'): string {
  const { at, handshake } = probe;
  const served = handshake.kind === 'served' ? handshake.certificates[0]?.fingerprint : undefined;
  return served !== undefined && served === leaving ? `${at} still serves the ${which} certificate` : describeServed(probe);
}

/** `2 of 3 serve it; 10.0.0.1:443 (pod x) still serves the old certificate`. */
export function progressOf({ probes, waiting, remaining }: Look): string {
  const good = probes.filter(({ evidence }) => evidence === 'good').length;
  return [`${good} of ${probes.length + waiting.length} serve it`, ...remaining].join('; ');
}
