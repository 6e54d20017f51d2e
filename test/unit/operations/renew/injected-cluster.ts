import type { ServerResponse } from 'node:http';
import { getObject } from '../../../../src/cluster/objects.ts';
import type { Progress } from '../../../../src/operations/progress.ts';
import { bothRef } from '../../../../src/operations/renew/both-cas-secret.ts';
import { answer, clusterOf, never, notFound, type Received, status } from '../../cluster/kube-api.ts';
import { now } from '../../pki/certificates.ts';
import { having } from '../../project/sample.ts';

/** APIServices whose caBundles the cainjector writes, and the Secret with both CAs. */

export const registration = having('issuer: {type: cert-manager}');
const { namespace } = registration.metadata;
const service = registration.spec.service.name;
const both = `${namespace}/${service}-tls-both-cas`;
const project = { 'apisvc.dev/registration': `${namespace}/${registration.metadata.name}` };

export const fromCertificate = { 'cert-manager.io/inject-ca-from': `${namespace}/${service}-tls` };
export const fromBoth = {
  'apisvc.dev/inject-ca-from': `${namespace}/${service}-tls`,
  'cert-manager.io/inject-ca-from-secret': both,
};

interface Stored {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; annotations: Record<string, string>; resourceVersion: string; managedFields?: object[] };
  spec?: { service: object; caBundle: string };
  data?: Record<string, string>;
}

export const apiService = (name: string, annotations: object, caBundle: string): Stored => ({
  apiVersion: 'apiregistration.k8s.io/v1',
  kind: 'APIService',
  metadata: { name, annotations: { ...annotations }, resourceVersion: '1' },
  spec: { service: { namespace, name: service }, caBundle },
});

/** @param annotations default: those of the project */
export const bothSecret = (caCrt: string, annotations: object = project): Stored => {
  const fieldsV1 = { 'f:data': { 'f:ca.crt': {} } };
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      ...{ name: `${service}-tls-both-cas`, namespace, resourceVersion: '1' },
      annotations: { ...annotations, 'cert-manager.io/allow-direct-injection': 'true' },
      ...{ labels: { 'app.kubernetes.io/managed-by': 'apisvc' }, managedFields: [{ manager: 'apisvc', operation: 'Apply', fieldsV1 }] },
    },
    data: { 'ca.crt': caCrt },
  };
};

interface World {
  readonly apiServices: readonly Stored[];
  secret?: Stored | undefined;
  /** Answers a request instead. @returns whether it did */
  readonly disturb?: (request: Received, response: ServerResponse) => boolean;
  /** What the cainjector does after an APIService or the Secret was written. */
  readonly inject?: () => void;
}

/** A cluster with these objects, and what was written there. */
export async function injectedCluster(world: World) {
  const events: string[] = [];
  const progress: Progress[] = [];
  const cluster = await clusterOf((request, response) => {
    if (world.disturb?.(request, response)) return;
    const { method, url, body } = request;
    const path = url.split('?')[0] ?? '';
    const name = path.split('/').at(-1);
    if (name === 'apiservices') return answer(response, 200, { metadata: {}, items: world.apiServices });
    const found = [...world.apiServices, ...(world.secret ? [world.secret] : [])].find(({ metadata }) => metadata.name === name);
    if (method === 'GET') return found ? answer(response, 200, found) : answer(response, 404, notFound(path));
    events.push(`${method === 'DELETE' ? 'delete' : 'write'} ${name}`);
    if (method === 'DELETE') {
      delete world.secret;
      return answer(response, 200, {});
    }
    const { metadata, data } = JSON.parse(body);
    if (found && metadata.resourceVersion !== found.metadata.resourceVersion)
      return answer(response, 409, status(409, 'Conflict', 'the object has been modified'));
    if (data) world.secret = bothSecret(data['ca.crt']);
    else if (found) {
      const all = Object.entries<string | null>({ ...found.metadata.annotations, ...metadata.annotations });
      found.metadata.annotations = Object.fromEntries(all.flatMap(([key, value]) => (value === null ? [] : [[key, value]])));
      found.metadata.resourceVersion = `${Number(found.metadata.resourceVersion) + 1}`;
    }
    world.inject?.();
    answer(response, 200, found ?? world.secret);
  });
  const where = {
    ...{ cluster, signal: never, registration, now: () => now },
    onProgress: (each: Progress) => void progress.push(each),
    renewLease: async () => void events.push('renew'),
  };
  return { where, events, progress, readSecret: () => getObject(cluster, bothRef(registration), never) };
}
