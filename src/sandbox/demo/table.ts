import type { Host } from './measure.ts';

/** What `kubectl get hosts` shows (k8s.io/apimachinery/pkg/apis/meta/v1/types.go, TableColumnDefinition). */
const columns = [
  { name: 'Name', type: 'string', format: 'name', description: 'Host name of the machine', priority: 0 },
  { name: 'CPUs', type: 'integer', format: '', description: 'CPUs that programs can use', priority: 0 },
  { name: 'Load', type: 'string', format: '', description: 'Load averages of one, five and fifteen minutes', priority: 0 },
  { name: 'Memory used', type: 'string', format: '', description: 'Memory in use', priority: 0 },
  { name: 'Memory', type: 'string', format: '', description: 'All memory of the machine', priority: 0 },
  { name: 'Uptime', type: 'string', format: '', description: 'Time since the machine started', priority: 0 },
];

/** Machines as a Table. @param include - the query parameter includeObject: `None`, `Object`, or as by default the metadata alone */
export const tableOf = (hosts: readonly Host[], include: string | null): object => ({
  kind: 'Table',
  apiVersion: 'meta.k8s.io/v1',
  metadata: {},
  columnDefinitions: columns,
  rows: hosts.map((host) => ({ cells: cellsOf(host), ...objectOf(host, include) })),
});

function cellsOf({ metadata, capacity, usage, load, uptime }: Host): unknown[] {
  const loads = `${load.oneMinute} ${load.fiveMinutes} ${load.fifteenMinutes}`;
  return [metadata.name, Number(capacity.cpu), loads, usage.memory, capacity.memory, uptime];
}

function objectOf(host: Host, include: string | null): object {
  if (include === 'None') return {};
  if (include === 'Object') return { object: host };
  return { object: { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: host.metadata } };
}
