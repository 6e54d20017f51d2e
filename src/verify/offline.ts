import { type Document, parseAllDocuments } from 'yaml';
import { UsageError } from '../errors.ts';
import type { KubeObject, ManifestText } from '../manifests/types.ts';
import { inspect } from '../pki/inspect.ts';
import type { ApiServiceView, ApiSnapshot, EndpointProbe, Observed, ServiceView, Snapshot } from './types.ts';
import { listOf, textOf, textsOf, viewApiService, viewService } from './views.ts';

// biome-ignore lint/suspicious/noExplicitAny: manifests of anyone.
type Json = any;

/**
 * Makes a snapshot of manifests: what they would put into a cluster, with the certificate of the mounted Secret as the one that will be served.
 * @throws UsageError for a file that is not YAML or JSON
 */
export function offlineSnapshot(texts: readonly ManifestText[], now: Date): Snapshot {
  const objects = texts.flatMap(readObjects);
  const apis = objects.filter(isKind('APIService')).map((object) => offlineApi(viewApiService(object), objects));
  return {
    apiVersion: 'apisvc.dev/snapshot/v1alpha1',
    takenAt: now.toISOString(),
    source: { kind: 'files', files: texts.map(({ file }) => file) },
    apis,
  };
}

/** @throws UsageError with line and column of the first fault */
function readObjects({ file, text }: ManifestText): KubeObject[] {
  return parseAllDocuments(text).flatMap((document): KubeObject[] => {
    const [fault] = document.errors;
    if (fault) {
      const { line, col } = fault.linePos?.[0] ?? { line: 1, col: 1 };
      throw new UsageError(`${file}:${line}:${col}: ${fault.message.split('\n')[0]}`);
    }
    const value = plainJson(document, file);
    const items: unknown[] = Array.isArray(value?.items) ? value.items : [value];
    return items.filter((item): item is KubeObject => typeof (item as KubeObject)?.metadata?.name === 'string');
  });
}

/** @throws UsageError for aliases that lead nowhere or would expand without bound */
function plainJson(document: Document, file: string): Json {
  try {
    return document.toJS();
  } catch (cause) {
    if (!(cause instanceof ReferenceError)) throw cause;
    throw new UsageError(`${file}: ${cause.message}`, { cause });
  }
}

const isKind =
  (kind: string) =>
  (object: KubeObject): boolean =>
    object.kind === kind;

const notInFiles: Observed<never> = { state: 'unseen', reason: 'skipped', words: 'it is not in the files' };

function offlineApi(api: ApiServiceView, objects: readonly KubeObject[]): ApiSnapshot {
  const found = objects.find(
    ({ kind, metadata }) => kind === 'Service' && metadata.name === api.service?.name && metadata.namespace === api.service?.namespace,
  );
  const service = found && viewService(found);
  const probes = service && api.service ? secretProbes(api.service.namespace, service, objects) : [];
  return {
    name: api.name,
    apiService: { state: 'seen', value: api },
    service: service ? { state: 'seen', value: service } : notInFiles,
    endpoints: notInFiles,
    probes: probes.length > 0 ? { state: 'seen', value: probes } : notInFiles,
    aggregated: notInFiles,
  };
}

/** The certificates of the Secrets that the pods behind a Service mount. */
function secretProbes(namespace: string, { selector }: ServiceView, objects: readonly (KubeObject & Json)[]): EndpointProbe[] {
  const mounted = objects.filter(isKind('Deployment')).flatMap(({ metadata, spec }) => {
    const labels = textsOf(spec?.template?.metadata?.labels);
    const selected = metadata.namespace === namespace && Object.entries(selector).every(([key, value]) => labels[key] === value);
    return selected ? listOf(spec?.template?.spec?.volumes).map(({ secret }) => secret?.secretName) : [];
  });
  return objects
    .filter(
      ({ kind, metadata, data }) =>
        kind === 'Secret' && metadata.namespace === namespace && mounted.includes(metadata.name) && data?.['tls.crt'],
    )
    .map(({ metadata, data }) => ({
      at: `Secret ${namespace}/${metadata.name}`,
      handshake: { kind: 'served', protocol: '', certificates: inspect(Buffer.from(textOf(data['tls.crt']), 'base64')).certificates },
    }));
}
