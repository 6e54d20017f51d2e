import type { KubeObject, ManifestText } from '../../manifests/types.ts';
import { inspect } from '../../pki/inspect.ts';
import { skipped } from '../observed.ts';
import type { ApiServiceView, ApiSnapshot, EndpointProbe, Observed, ServiceView, Snapshot } from '../types.ts';
import { type Json, listOf, textOf, textsOf, viewApiService, viewService, withoutPrivateKeys } from '../views.ts';
import { readObjects } from './read.ts';

/**
 * Makes a snapshot from manifests, as if they were applied. The certificate of the mounted Secret
 * stands for the one that will be served.
 * @throws UsageError for a file that is not YAML or JSON
 */
export function offlineSnapshot(texts: readonly ManifestText[], now: Date): Snapshot {
  const objects = lastOfEach(texts.flatMap(readObjects));
  const apis = objects.filter(isKind('APIService')).map((object) => offlineApi(withoutPrivateKeys(viewApiService(object)), objects));
  return {
    apiVersion: 'apisvc.dev/snapshot/v1alpha1',
    takenAt: now.toISOString(),
    source: { kind: 'files', files: texts.map(({ file }) => file) },
    apis,
  };
}

/** Of several objects with the same name the last one wins, as with `kubectl apply`. */
const lastOfEach = (objects: readonly KubeObject[]): KubeObject[] => [
  ...new Map(objects.map((object) => [`${object.kind} ${object.metadata.namespace ?? ''} ${object.metadata.name}`, object])).values(),
];

const isKind =
  (kind: string) =>
  (object: KubeObject): boolean =>
    object.kind === kind;

/**
 * `kubectl apply -n` sets the namespace of objects without one, so such an object may end up in any
 * namespace.
 */
const mayBeIn = (namespace: string | undefined, { metadata }: KubeObject): boolean =>
  metadata.namespace === undefined || metadata.namespace === namespace;

const notGiven = (reason: string): Observed<never> => ({ state: 'unseen', reason: 'not-given', words: reason });
const onlyInCluster = skipped('it exists in a cluster only');
const noService = skipped('the APIService has no Service');

function offlineApi(api: ApiServiceView, objects: readonly KubeObject[]): ApiSnapshot {
  const observed = {
    name: api.name,
    apiService: { state: 'seen', value: api },
    endpoints: onlyInCluster,
    pods: onlyInCluster,
    aggregated: onlyInCluster,
    group: onlyInCluster,
    openApi: onlyInCluster,
    serviceProxy: onlyInCluster,
    asUser: onlyInCluster,
    anonymous: onlyInCluster,
    forged: onlyInCluster,
    server: onlyInCluster,
    secret: onlyInCluster,
    requestHeader: onlyInCluster,
    delegation: onlyInCluster,
    neighbours: onlyInCluster,
    customResources: onlyInCluster,
    listed: onlyInCluster,
  } as const;
  if (!api.service) return { ...observed, service: noService, probes: noService };
  const { name, namespace } = api.service;
  const services = objects.filter((object) => object.kind === 'Service' && object.metadata.name === name && mayBeIn(namespace, object));
  const found = services.find(({ metadata }) => metadata.namespace !== undefined) ?? services[0];
  const service = found && viewService(found);
  const probes = service ? secretProbes(namespace, service, objects) : [];
  return {
    ...observed,
    service: service ? { state: 'seen', value: service } : notGiven('the files do not contain it'),
    probes: probes.length > 0 ? { state: 'seen', value: probes } : notGiven('the files contain no Secret with them'),
  };
}

/** The certificates of the Secrets that the pods behind a Service mount. */
function secretProbes(namespace: string, { selector }: ServiceView, objects: readonly (KubeObject & Json)[]): EndpointProbe[] {
  const near = objects.filter((object) => mayBeIn(namespace, object));
  const mounted = near.filter(isKind('Deployment')).flatMap(({ spec }) => {
    const labels = textsOf(spec?.template?.metadata?.labels);
    const wanted = Object.entries(selector);
    // Without a selector, something else manages the endpoints.
    const selected = wanted.length > 0 && wanted.every(([key, value]) => labels[key] === value);
    return selected ? listOf(spec?.template?.spec?.volumes).map(({ secret }) => secret?.secretName) : [];
  });
  return near
    .filter(({ kind, metadata, data }) => kind === 'Secret' && mounted.includes(metadata.name) && data?.['tls.crt'])
    .map(({ metadata, data }) => ({
      at: `Secret ${namespace}/${metadata.name}`,
      pod: undefined,
      via: 'address',
      handshake: { kind: 'served', protocol: '', certificates: inspect(Buffer.from(textOf(data['tls.crt']), 'base64')).certificates },
    }));
}
