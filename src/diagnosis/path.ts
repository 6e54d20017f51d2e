import type { ApiServiceView, ApiSnapshot, EndpointProbe, EndpointView, Observed, Source } from '../snapshot/types.ts';
import type { HopKind } from './catalog/entry.ts';
import { entryOf } from './catalog.ts';
import type { Finding, Hop } from './types.ts';

/** A hop without its findings. */
interface Place {
  readonly kind: HopKind;
  readonly name: string;
  /** Whether it was checked. A hop that was not checked is not `ok`. */
  readonly seen: boolean;
  /**
   * Its names in findings: the address and the pod. Empty if findings do not distinguish hops of
   * this kind.
   */
  readonly aliases: readonly string[];
}

/**
 * The request path to an API: client, kube-apiserver, Service and every endpoint, each with its
 * state. For a Local API and for one that is not registered, it ends at kube-apiserver.
 * @param findings of this API. Their symptoms do not change the state of a hop.
 */
export function requestPath(snapshot: ApiSnapshot, source: Source, findings: readonly Finding[]): readonly Hop[] {
  const places = placesOf(snapshot, source, findings);
  const marks = findings.map((finding) => ({ finding, at: new Set(placesOfFinding(finding, places)) }));
  return places.map((place) =>
    hopOf(
      place,
      marks.filter(({ at }) => at.has(place)).map(({ finding }) => finding),
    ),
  );
}

function placesOf(snapshot: ApiSnapshot, source: Source, findings: readonly Finding[]): readonly Place[] {
  const { apiService } = snapshot;
  const server: Place = {
    kind: 'kube-apiserver',
    name: source.kind === 'cluster' ? source.server : `APIService ${snapshot.name}`,
    seen: apiService.state !== 'unseen',
    aliases: [],
  };
  const path = [clientOf(snapshot, source), server];
  if (apiService.state === 'absent') return path;
  if (apiService.state === 'unseen') return [...path, serviceOf(snapshot, undefined), unknownEndpoint];
  const { service } = apiService.value;
  return service ? [...path, serviceOf(snapshot, service), ...endpointsOf(snapshot, findings)] : path;
}

/** Any answer, also 403, proves that the client reaches kube-apiserver. */
function clientOf({ apiService, aggregated }: ApiSnapshot, source: Source): Place {
  if (source.kind === 'files') return { kind: 'client', name: 'any client', seen: false, aliases: [] };
  const answered = [apiService, aggregated].some(
    (observed: Observed<unknown>) => observed.state !== 'unseen' || observed.reason === 'forbidden',
  );
  return { kind: 'client', name: `context ${source.context}`, seen: answered, aliases: [] };
}

function serviceOf({ service }: ApiSnapshot, target: ApiServiceView['service']): Place {
  const name = target ? `${target.namespace}/${target.name} port ${target.port}` : 'the Service';
  return { kind: 'service', name, seen: service.state !== 'unseen', aliases: [] };
}

/** Stands for endpoints that were not observed. */
const unknownEndpoint: Place = { kind: 'endpoint', name: 'the endpoints of the Service', seen: false, aliases: [] };

/**
 * First the endpoints with a TLS handshake, then the others, then pods without an endpoint that
 * have a finding.
 */
function endpointsOf({ endpoints, probes, pods }: ApiSnapshot, findings: readonly Finding[]): readonly Place[] {
  const probed = seenOf(probes);
  const addresses = seenOf(endpoints);
  const others = addresses.filter((endpoint) => !endpoint.ready || !probed.some((probe) => isOf(probe, endpoint)));
  const known = new Set([...addresses, ...probed].map(({ pod }) => pod));
  const withoutEndpoint = seenOf(pods).filter(({ name }) => !known.has(name) && findings.some((finding) => isAbout(finding, [name])));
  const all = [
    ...probed.map(({ at, pod, handshake }) => placeAt(at, at, pod, handshake.kind === 'served')),
    ...others.map(placeOfEndpoint),
    ...withoutEndpoint.map(({ name }) => placeAt(`pod ${name}`, name, name, false)),
  ];
  return all.length > 0 ? all : [endpoints.state === 'seen' ? { ...unknownEndpoint, name: 'no endpoints' } : unknownEndpoint];
}

const isOf = ({ at, pod }: EndpointProbe, endpoint: EndpointView): boolean =>
  at.startsWith(`${endpoint.address}:`) || at.startsWith(`[${endpoint.address}]:`) || (pod !== undefined && pod === endpoint.pod);

const seenOf = <T>(observed: Observed<readonly T[]>): readonly T[] => (observed.state === 'seen' ? observed.value : []);

const placeAt = (name: string, at: string, pod: string | undefined, seen: boolean): Place => ({
  kind: 'endpoint',
  name,
  seen,
  aliases: pod === undefined ? [at] : [at, pod],
});

/** An endpoint that is not ready gets no requests, so this alone is not a fault. */
function placeOfEndpoint({ address, pod, ready }: EndpointView): Place {
  const notes = [...(pod ? [`pod ${pod}`] : []), ...(ready ? [] : ['not ready'])].join(', ');
  return placeAt(notes ? `${address} (${notes})` : address, address, pod, false);
}

function hopOf({ kind, name, seen }: Place, findings: readonly Finding[]): Hop {
  const broken = findings.some(({ severity }) => severity === 'error');
  const state = broken ? 'broken' : findings.length > 0 ? 'warning' : seen ? 'ok' : 'unseen';
  return { kind, name, state, codes: [...new Set(findings.map(({ code }) => code))] };
}

/**
 * A finding about endpoints belongs to those that it names, or to all if it names none. A finding
 * for a hop that does not exist belongs to the last hop.
 */
function placesOfFinding(finding: Finding, places: readonly Place[]): readonly Place[] {
  const { hop } = entryOf(finding.code);
  const same = places.filter(({ kind }) => kind === hop);
  // A truncated title names only the first endpoints.
  const named = finding.title.includes('...') ? [] : same.filter(({ aliases }) => isAbout(finding, aliases));
  return named.length > 0 ? named : same.length > 0 ? same : places.slice(-1);
}

/**
 * Whether a finding contains one of the names as a whole: `10.0.0.1:443` is not in
 * `110.0.0.1:4430`, and `api-0` is not in `api-01`.
 */
const isAbout = ({ title, evidence }: Finding, aliases: readonly string[]): boolean =>
  aliases.some((alias) => [title, ...evidence].some((text) => hasWord(text, alias)));

const partOfName = /[\w.:-]/;

function hasWord(text: string, word: string): boolean {
  for (let at = text.indexOf(word); at >= 0 && word !== ''; at = text.indexOf(word, at + 1)) {
    const [before = '', after = '', next = ''] = [text[at - 1], text[at + word.length], text[at + word.length + 1]];
    // A period or a colon may follow the name.
    const ends = !partOfName.test(after) || (/[.:]/.test(after) && !partOfName.test(next));
    if (!partOfName.test(before) && ends) return true;
  }
  return false;
}
