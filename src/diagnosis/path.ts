import type { ApiServiceView, ApiSnapshot, EndpointProbe, EndpointView, Observed, Source } from '../snapshot/types.ts';
import type { HopKind } from './catalog/entry.ts';
import { entryOf } from './catalog.ts';
import type { Finding, Hop } from './types.ts';

/** A hop before the findings are put to it. */
interface Place {
  readonly kind: HopKind;
  readonly name: string;
  /** Whether it was looked at; what was not can not be called in order. */
  readonly seen: boolean;
  /** What findings call it: the address or the pod. Empty where findings don't tell hops of this kind apart. */
  readonly calls: readonly string[];
}

/**
 * The way of a request to an API: client, kube-apiserver, Service and every endpoint, each with the state that the findings give it. It ends where there is
 * nothing more to go to: at kube-apiserver for a Local API and for one that is not registered.
 * @param findings of this API; symptoms beneath them mark nothing, since they are mended elsewhere
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
    calls: [],
  };
  const way = [clientOf(snapshot, source), server];
  if (apiService.state === 'absent') return way;
  if (apiService.state === 'unseen') return [...way, serviceOf(snapshot, undefined), someEndpoint];
  const { service } = apiService.value;
  return service ? [...way, serviceOf(snapshot, service), ...endpointsOf(snapshot, findings)] : way;
}

/** Any answer about the API, a refusal as well, shows that the client reaches kube-apiserver. */
function clientOf({ apiService, aggregated }: ApiSnapshot, source: Source): Place {
  if (source.kind === 'files') return { kind: 'client', name: 'any client', seen: false, calls: [] };
  const answered = [apiService, aggregated].some(
    (observed: Observed<unknown>) => observed.state !== 'unseen' || observed.reason === 'forbidden',
  );
  return { kind: 'client', name: `context ${source.context}`, seen: answered, calls: [] };
}

function serviceOf({ service }: ApiSnapshot, target: ApiServiceView['service']): Place {
  const name = target ? `${target.namespace}/${target.name} port ${target.port}` : 'the Service';
  return { kind: 'service', name, seen: service.state !== 'unseen', calls: [] };
}

/** In the place of endpoints that nobody saw. */
const someEndpoint: Place = { kind: 'endpoint', name: 'its endpoints', seen: false, calls: [] };

/** The endpoints that were asked for their certificate, then those that were not, then the pods that never became one and have a finding. */
function endpointsOf({ endpoints, probes, pods }: ApiSnapshot, findings: readonly Finding[]): readonly Place[] {
  const asked = seenOf(probes);
  const addresses = seenOf(endpoints);
  const unasked = addresses.filter((endpoint) => !endpoint.ready || !asked.some((probe) => isOf(probe, endpoint)));
  const known = new Set([...addresses, ...asked].map(({ pod }) => pod));
  const lost = seenOf(pods).filter(({ name }) => !known.has(name) && findings.some((finding) => isAbout(finding, [name])));
  const all = [
    ...asked.map(({ at, pod, handshake }) => placeAt(at, at, pod, handshake.kind === 'served')),
    ...unasked.map(placeOfEndpoint),
    ...lost.map(({ name }) => placeAt(`pod ${name}`, name, name, false)),
  ];
  return all.length > 0 ? all : [endpoints.state === 'seen' ? { ...someEndpoint, name: 'no endpoint' } : someEndpoint];
}

const isOf = ({ at, pod }: EndpointProbe, endpoint: EndpointView): boolean =>
  at.startsWith(`${endpoint.address}:`) || at.startsWith(`[${endpoint.address}]:`) || (pod !== undefined && pod === endpoint.pod);

const seenOf = <T>(observed: Observed<readonly T[]>): readonly T[] => (observed.state === 'seen' ? observed.value : []);

const placeAt = (name: string, at: string, pod: string | undefined, seen: boolean): Place => ({
  kind: 'endpoint',
  name,
  seen,
  calls: pod === undefined ? [at] : [at, pod],
});

/** A Service sends nothing to what is not ready, so that it does not serve is not a fault by itself. */
function placeOfEndpoint({ address, pod, ready }: EndpointView): Place {
  const notes = [...(pod ? [`pod ${pod}`] : []), ...(ready ? [] : ['not ready'])].join(', ');
  return placeAt(notes ? `${address} (${notes})` : address, address, pod, false);
}

function hopOf({ kind, name, seen }: Place, findings: readonly Finding[]): Hop {
  const broken = findings.some(({ severity }) => severity === 'error');
  const state = broken ? 'broken' : findings.length > 0 ? 'warning' : seen ? 'ok' : 'unseen';
  return { kind, name, state, codes: [...new Set(findings.map(({ code }) => code))] };
}

/** A finding about endpoints belongs to those that it names, and to all of them where it names none. One for whose hop there is no place belongs to the last. */
function placesOfFinding(finding: Finding, places: readonly Place[]): readonly Place[] {
  const { hop } = entryOf(finding.code);
  const same = places.filter(({ kind }) => kind === hop);
  // A title that was cut names only the first of them.
  const named = finding.title.includes('...') ? [] : same.filter(({ calls }) => isAbout(finding, calls));
  return named.length > 0 ? named : same.length > 0 ? same : places.slice(-1);
}

/** Whether a finding names one of these, and not only something longer: `10.0.0.1:443` is not in `110.0.0.1:4430`, nor `api-0` in `api-01`. */
const isAbout = ({ title, evidence }: Finding, calls: readonly string[]): boolean =>
  calls.some((call) => [title, ...evidence].some((text) => hasWord(text, call)));

const partOfName = /[\w.:-]/;

function hasWord(text: string, word: string): boolean {
  for (let at = text.indexOf(word); at >= 0 && word !== ''; at = text.indexOf(word, at + 1)) {
    const [before = '', after = '', next = ''] = [text[at - 1], text[at + word.length], text[at + word.length + 1]];
    // A full stop or colon may also end the name.
    const ends = !partOfName.test(after) || (/[.:]/.test(after) && !partOfName.test(next));
    if (!partOfName.test(before) && ends) return true;
  }
  return false;
}
