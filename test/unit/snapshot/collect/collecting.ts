import { takeSnapshot } from '../../../../src/snapshot/collect/snapshot.ts';
import type { SnapshotOptions, Wanted } from '../../../../src/snapshot/types.ts';
import { answer, clusterOf, never, notFound, type Received, status } from '../../cluster/kube-api.ts';

/** The APIServices of a whole cluster, and the requests for a snapshot of them. */

export const apiService = (index: number, more: object = {}): object => ({
  metadata: { name: `v1.g${index}.example.com`, labels: { half: String(index % 2) } },
  spec: {
    group: `g${index}.example.com`,
    version: 'v1',
    groupPriorityMinimum: 1000,
    versionPriority: 15,
    service: { namespace: `ns${index % 3}`, name: `s${index}`, port: 443 },
    ...more,
  },
});
const service = (index: number): object => ({
  metadata: { name: `s${index}`, namespace: `ns${index % 3}` },
  spec: { ports: [{ port: 443 }] },
});

export interface Situation {
  readonly apiServices: readonly object[];
  readonly services?: readonly object[];
  /** The answers of other paths. */
  readonly paths?: Readonly<Record<string, object>>;
  /** URLs that are answered with 403. */
  readonly forbidden?: RegExp;
  /** URLs that are never answered. */
  readonly silent?: RegExp;
}

export async function collect(
  { apiServices, services = [], paths = {}, forbidden, silent }: Situation,
  wanted: Wanted,
  options: SnapshotOptions = {},
) {
  const requests: Received[] = [];
  const hanging = { total: 0, now: 0, peak: 0 };
  const cluster = await clusterOf((request, response) => {
    const { method, url } = request;
    requests.push(request);
    if (silent?.test(url)) {
      hanging.total += 1;
      hanging.now += 1;
      hanging.peak = Math.max(hanging.peak, hanging.now);
      response.on('close', () => {
        hanging.now -= 1;
      });
      return;
    }
    if (forbidden?.test(url)) return answer(response, 403, status(403, 'Forbidden', 'User "jane" cannot do that'));
    if (method === 'POST') return answer(response, 201, { status: { allowed: false } });
    const [path = ''] = url.split('?');
    const named = (objects: readonly object[]) =>
      (objects as { metadata: { name: string } }[]).find(({ metadata }) => path.endsWith(`/${metadata.name}`));
    const list = (items: readonly object[]) => answer(response, 200, { metadata: { resourceVersion: '1' }, items });
    if (path === '/version') return answer(response, 200, { gitVersion: 'v1.37.2' });
    if (path.endsWith('/apiservices')) {
      const selected = url.includes('labelSelector') ? apiServices.filter((_, index) => index % 2 === 1) : apiServices;
      return list(selected);
    }
    if (path.endsWith('/services')) return list(services);
    if (path.endsWith('/endpointslices') || path.endsWith('/leases')) return list([]);
    if (paths[path]) return answer(response, 200, paths[path]);
    const found = named(path.includes('/apiservices/') ? apiServices : path.includes('/services/') ? services : []);
    return found ? answer(response, 200, found) : answer(response, 404, notFound(url));
  });
  const { apis } = await takeSnapshot(cluster, wanted, options, never);
  const count = (pattern: RegExp) => requests.filter(({ method, url }) => pattern.test(`${method} ${url}`)).length;
  return { apis, count, requests, hanging };
}

export const many = Array.from({ length: 20 }, (_, index) => apiService(index));
export const services = Array.from({ length: 20 }, (_, index) => service(index));
