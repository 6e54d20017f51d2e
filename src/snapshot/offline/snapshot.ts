import { nearest } from '../../config/nearest.ts';
import type { KubeObject, ManifestFault, ManifestText } from '../../manifests/types.ts';
import { skipped } from '../observed.ts';
import type { ApiSnapshot, ManifestView, Snapshot } from '../types.ts';
import { type Json, textOf, viewApiService, withoutPrivateKeys } from '../views.ts';
import { manifestOf } from './api-service.ts';
import { groupOf, indexObjects, isKind, isKnown, type ObjectField, type Replaced } from './objects.ts';
import { type Place, placeText, type ReadObject, readManifestTexts } from './read.ts';
import { removedFaults } from './removed.ts';
import { selectorFaults } from './selectors.ts';
import { offlineServer, type Shared, shareObjects } from './server.ts';

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
  const { objects: found, faults } = readManifestTexts(texts);
  const read = { faults, objects: found.map(spelled) };
  const named = read.objects.filter(isOurs).map(withName).filter(hasName);
  const objects = indexObjects(named);
  const shared = shareObjects(objects);
  // Without an APIService, nothing is checked.
  const rejected = objects.all('APIService').length > 0 ? [...removedFaults(named), ...selectorFaults(named)] : [];
  const manifests = new Map(named.filter(({ object }) => isKind(object, 'APIService')).map((each) => [each.object, manifestOf(each)]));
  return {
    snapshot: {
      apiVersion: 'apisvc.dev/snapshot/v1alpha1',
      takenAt: now.toISOString(),
      source: { kind: 'files', files: [...texts, ...unread].map(({ file }) => file) },
      files: {
        faults: [...unread, ...read.faults, ...rejected, ...duplicateFaults(objects.replaced)],
        skipped: [
          ...read.objects.filter((each) => !isOurs(each)).map(skippedObject),
          ...read.objects.filter(isProject).map(skippedProject),
          ...read.objects.filter(isNameless).map(skippedNameless),
        ],
      },
      apis: objects.all('APIService').map((object) => offlineApi(object, manifests.get(object), shared)),
    },
    place: objects.place,
  };
}

const apiService = { apiVersion: 'apiregistration.k8s.io/v1', kind: 'APIService' } as const;

/** A misspelled APIService as the one that was meant. kube-apiserver does not know the kind. */
function spelled(read: ReadObject): ReadObject {
  const { object } = read;
  const { kind } = object;
  const apiVersion = textOf(object.apiVersion) || '(none)';
  const group = groupOf({ apiVersion });
  const isMeant = group === '' ? kind === apiService.kind : nearest(kind, [apiService.kind]) && nearest(group, [groupOf(apiService)]);
  if (!isMeant || (kind === apiService.kind && group === groupOf(apiService))) return read;
  return { ...read, object: { ...object, ...apiService }, written: { apiVersion, kind } };
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

/** The apisvc.yaml of a project among other files. */
const isProject = ({ object }: ReadObject): boolean => object.kind === 'Registration' && groupOf(object) === 'apisvc.dev';

const skippedProject = ({ object, placeOf }: ReadObject) => ({
  ...placeOf(['kind']),
  what: `Registration ${textOf(object.metadata.name)}`,
  why: 'it is the configuration of a project; to check the project, use -C instead of files',
});

const hasName = ({ object }: ReadObject): boolean => typeof object.metadata.name === 'string';

/** Not those that kube-apiserver names. */
const isNameless = (read: ReadObject): boolean =>
  isKnown(read) && !isKind(read.object, 'APIService') && !hasName(read) && !('generateName' in read.object.metadata);

const skippedNameless = ({ object, placeOf }: ReadObject) => ({
  ...placeOf(['metadata']),
  what: `${object.kind} (no name) of ${object.apiVersion}`,
  why: 'it has no metadata.name',
});

const shownDuplicates = 5;

/** One fault for all objects that the files have twice, at the first of them. */
function duplicateFaults(replaced: readonly Replaced[]): readonly ManifestFault[] {
  const rank = ({ object }: Replaced): number => (isKind(object.object, 'APIService') ? 0 : 1);
  const found = replaced.toSorted((one, other) => rank(one) - rank(other));
  const [first] = found;
  if (!first) return [];
  const names = found.slice(0, shownDuplicates).map(({ object, by }) => `${nameAt(object)}, replaced by ${placeText(by, nameField)}`);
  const more = found.length > names.length ? [`and ${found.length - names.length} more`] : [];
  return [{ ...first.object.placeOf(nameField), kind: 'duplicate-object', words: [...names, ...more].join('; ') }];
}

const nameField = ['metadata', 'name'] as const;

const nameAt = (read: ReadObject): string => {
  const { kind, metadata } = read.object;
  const name = metadata.namespace === undefined ? metadata.name : `${metadata.namespace}/${metadata.name}`;
  return `${kind} ${name} (${placeText(read, nameField)})`;
};

/** An APIService without a name gets the one that it must have. */
function withName(read: ReadObject): ReadObject {
  const { object }: { readonly object: KubeObject & Json } = read;
  if (object.kind !== 'APIService' || typeof object.metadata?.name === 'string') return read;
  const metadata = typeof object.metadata === 'object' ? object.metadata : {};
  const name = `${textOf(object.spec?.version) || '<version>'}.${textOf(object.spec?.group) || '<group>'}`;
  return { ...read, object: { ...object, metadata: { ...metadata, name } }, given: object };
}

const onlyInCluster = skipped('it exists only in a cluster');
const noService = skipped('the APIService has no Service');

function offlineApi(object: KubeObject, manifest: ManifestView | undefined, shared: Shared): ApiSnapshot {
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
    list: onlyInCluster,
    repeated: onlyInCluster,
    asUser: onlyInCluster,
    listAsUser: onlyInCluster,
    anonymous: onlyInCluster,
    forged: onlyInCluster,
    endpointAnswers: onlyInCluster,
    server: onlyInCluster,
    serverLog: onlyInCluster,
    secret: onlyInCluster,
    requestHeader: onlyInCluster,
    delegation: onlyInCluster,
    neighbours: onlyInCluster,
    customResources: onlyInCluster,
    listed: onlyInCluster,
    manifest,
  } as const;
  if (!api.service) return { ...observed, service: noService, probes: noService };
  return { ...observed, ...offlineServer(shared, api, api.service) };
}
