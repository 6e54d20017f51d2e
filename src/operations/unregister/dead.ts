import type { Cluster } from '../../cluster/cluster.ts';
import { getObject, listObjects, slicesOf } from '../../cluster/objects.ts';
import { resources } from '../../cluster/resources.ts';
import { shellWord } from '../../config/shell-word.ts';
import { RefusedError } from '../../errors.ts';
import type { KubeObject } from '../../manifests/types.ts';
import { type Json, listOf, textOf, viewApiService, viewEndpoints } from '../../snapshot/views.ts';
import { describeManager, type Manager, managerOf } from '../manager.ts';
import { automanaged } from '../steps/takeover.ts';

/**
 * Proves that an APIService of anybody leads nowhere: its Service does not exist or has no ready
 * endpoint, kube-apiserver reports it as unavailable, and our own request fails too.
 * @returns the evidence, one sentence each
 * @throws RefusedError when it is not proved
 */
export async function proveDead(cluster: Cluster, found: KubeObject, signal: AbortSignal): Promise<readonly string[]> {
  const { name, group, version, service, available, labels } = viewApiService(found);
  const refuse = (why: string, fix: string): RefusedError =>
    new RefusedError(`APIService ${name} was not created by apisvc, and may still be in use: ${why}`, { fix });
  if (!service) throw refuse('it is Local, so kube-apiserver itself serves the API', 'Choose another APIService.');
  if (labels[automanaged] !== undefined)
    throw refuse(`it has the label ${automanaged}`, 'Leave it in place: kube-apiserver creates it again when it is deleted.');
  if (available?.status === 'True') throw inUse(found);
  const diagnose = `Find out why it is not available: apisvc verify ${name}\nTo delete it anyway: kubectl delete apiservice ${name}`;
  const where = `Service ${service.namespace}/${service.name}`;
  const present = await getObject(cluster, { resource: resources.Service, namespace: service.namespace, name: service.name }, signal);
  const endpoints = present ? (await listObjects(cluster, slicesOf(service), signal)).flatMap(viewEndpoints) : [];
  if (endpoints.some(({ ready }) => ready)) throw refuse(`${where} has ready endpoints`, diagnose);
  const { status } = await cluster.request({ path: `/apis/${group}/${version}`, signal });
  if (status < 500) throw refuse(`a request for /apis/${group}/${version} returns HTTP status ${status}`, diagnose);
  return [
    `${where} ${present ? 'has no ready endpoint' : 'does not exist'}`,
    available ? `kube-apiserver reports Available=${available.status} (${available.reason})` : 'it was never Available',
    `a request for /apis/${group}/${version} returns HTTP status ${status}`,
  ];
}

/** The error for an API that works. */
function inUse(found: KubeObject): RefusedError {
  const { name, service } = viewApiService(found);
  const manager = managerOf(found);
  const { metadata } = found;
  const facts = [
    `Service ${service?.namespace}/${service?.name} serves it`,
    ...(manager ? [`${describeManager(manager)} manages it`] : ownedBy(listOf((metadata as Json).ownerReferences))),
  ];
  const fix = [
    ...(manager ? [removal(manager)] : ['To remove its server too, ask whoever installed it.']),
    `To delete only the APIService, even if clients still use its API: kubectl delete apiservice ${name}`,
  ];
  return new RefusedError(`APIService ${name} is available, and was not created by apisvc: ${facts.join(', and ')}`, {
    fix: fix.join('\n'),
  });
}

const ownedBy = (owners: readonly Json[]): readonly string[] => owners.map(({ kind, name }) => `${textOf(kind)} ${textOf(name)} owns it`);

/** How to remove an API in the way in which it was installed. */
function removal({ tool, release }: Manager): string {
  if (release) {
    const namespace = release.namespace === undefined ? '' : ` -n ${shellWord(release.namespace)}`;
    return `To remove the API and its server: helm uninstall ${shellWord(release.name)}${namespace}`;
  }
  if (tool === 'kubectl apply') return 'To remove the API and its server, delete its manifests: kubectl delete -f FILE';
  return `To remove the API and its server, remove them from ${tool === 'Helm' ? 'the Helm release' : `what ${tool} applies`}.`;
}
