import type { KubeObject, ManifestFault, ManifestText } from '../../manifests/types.ts';
import { inspect } from '../../pki/inspect.ts';
import { skipped } from '../observed.ts';
import type { ApiSnapshot, EndpointProbe, ManifestView, Observed, ServiceView, Snapshot } from '../types.ts';
import { type Json, listOf, textOf, viewApiService, viewService, withoutPrivateKeys } from '../views.ts';
import { manifestOf } from './api-service.ts';
import { groupOf, indexObjects, isKind, type ObjectField, type OfflineObjects, podOf } from './objects.ts';
import { type Place, type ReadObject, readManifestTexts } from './read.ts';

/** A snapshot of files, and where the fields of their objects are. */
export interface OfflineSnapshot {
  readonly snapshot: Snapshot;
  readonly place: (about: ObjectField) => Place | undefined;
}

/**
 * Makes a snapshot from manifests, as if they were applied. The certificate of the mounted Secret
 * stands for the one that will be served.
 * @param unread files that could not be read
 */
export function offlineSnapshot(texts: readonly ManifestText[], now: Date, unread: readonly ManifestFault[] = []): OfflineSnapshot {
  const read = readManifestTexts(texts);
  const named = read.objects.filter(isOurs).map(withName);
  const objects = indexObjects(named);
  const manifests = new Map(named.filter(({ object }) => isKind(object, 'APIService')).map((each) => [each.object, manifestOf(each)]));
  return {
    snapshot: {
      apiVersion: 'apisvc.dev/snapshot/v1alpha1',
      takenAt: now.toISOString(),
      source: { kind: 'files', files: [...texts, ...unread].map(({ file }) => file) },
      files: { faults: [...unread, ...read.faults], skipped: read.objects.filter((each) => !isOurs(each)).map(skippedObject) },
      apis: objects.all('APIService').map((object) => offlineApi(object, manifests.get(object), objects)),
    },
    place: objects.place,
  };
}

/** Several API groups have a kind APIService. */
const isOurs = ({ object }: ReadObject): boolean => object.kind !== 'APIService' || isKind(object, 'APIService');

function skippedObject({ object, placeOf }: ReadObject) {
  const name = (object.metadata as KubeObject['metadata'] | undefined)?.name;
  return {
    ...placeOf(['apiVersion']),
    what: `${object.kind} ${textOf(name) || '(no name)'} of ${object.apiVersion}`,
    why: `group ${groupOf(object)} is not apiregistration.k8s.io`,
  };
}

/** An APIService without a name gets the one that it must have. */
function withName(read: ReadObject): ReadObject {
  const { object }: { readonly object: KubeObject & Json } = read;
  if (object.kind !== 'APIService' || typeof object.metadata?.name === 'string') return read;
  const metadata = typeof object.metadata === 'object' ? object.metadata : {};
  const name = `${textOf(object.spec?.version) || 'version'}.${textOf(object.spec?.group) || 'group'}`;
  return { ...read, object: { ...object, metadata: { ...metadata, name } }, unnamed: true };
}

const notGiven = (reason: string): Observed<never> => ({ state: 'unseen', reason: 'not-given', words: reason });
const onlyInCluster = skipped('it exists in a cluster only');
const noService = skipped('the APIService has no Service');

function offlineApi(object: KubeObject, manifest: ManifestView | undefined, objects: OfflineObjects): ApiSnapshot {
  const view = withoutPrivateKeys(viewApiService(object));
  // A value that is not base64 has its own finding, and may hold a private key.
  const api = manifest?.faults.some(({ path }) => path.join('.') === 'spec.caBundle') ? { ...view, caBundle: '' } : view;
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
    manifest,
  } as const;
  if (!api.service) return { ...observed, service: noService, probes: noService };
  const { name, namespace } = api.service;
  const found = objects.find('Service', namespace, name);
  const service = found && viewService(found);
  const probes = service ? secretProbes(namespace, service, objects) : [];
  return {
    ...observed,
    service: service ? { state: 'seen', value: service } : notGiven('the files do not contain it'),
    probes: probes.length > 0 ? { state: 'seen', value: probes } : notGiven('the files contain no Secret with them'),
  };
}

/** The certificates of the Secrets that the pods behind a Service mount. */
function secretProbes(namespace: string, { selector }: ServiceView, objects: OfflineObjects): EndpointProbe[] {
  const mounted = objects
    .workloads(namespace, selector)
    .flatMap((workload) => listOf(podOf(workload).spec?.volumes).map(({ secret }) => textOf(secret?.secretName)));
  return [...new Set(mounted)].flatMap((name): EndpointProbe[] => {
    const found: (KubeObject & Json) | undefined = objects.find('Secret', namespace, name);
    if (!found?.data?.['tls.crt']) return [];
    const { certificates } = inspect(Buffer.from(textOf(found.data['tls.crt']), 'base64'));
    return [
      { at: `Secret ${namespace}/${name}`, pod: undefined, via: 'address', handshake: { kind: 'served', protocol: '', certificates } },
    ];
  });
}
