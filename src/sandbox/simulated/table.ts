import type { Kind, Obj } from './types.ts';

type Cell = string | number;

interface Column {
  readonly name: string;
  readonly cell: (object: Obj, now: Date) => Cell;
}

// Columns of k8s.io/kubernetes/pkg/printers/internalversion/printers.go, without those of -o wide.

const none = '<none>';

/** k8s.io/apimachinery/pkg/util/duration/duration.go, HumanDuration, in one unit. */
export function ago(since: string, now: Date): string {
  const seconds = Math.max(0, Math.floor((now.getTime() - Date.parse(since)) / 1000));
  if (seconds < 120) return `${seconds}s`;
  const hours = Math.floor(seconds / 3600);
  if (hours < 3) return `${Math.floor(seconds / 60)}m`;
  return hours < 48 ? `${hours}h` : `${Math.floor(hours / 24)}d`;
}

const name: Column = { name: 'Name', cell: ({ metadata }) => metadata.name ?? '' };
const age: Column = { name: 'Age', cell: ({ metadata }, now) => ago(metadata.creationTimestamp, now) };
const text = (title: string, cell: (object: Obj, now: Date) => Cell): Column => ({ name: title, cell });

const portOf = ({ port, protocol }: Obj): string => `${port}/${protocol}`;

const containersOf = ({ status }: Obj): readonly Obj[] => status?.containerStatuses ?? [];

/** The node never writes that a container has terminated: it always restarts it. */
function podStatus(pod: Obj): string {
  if (pod.metadata.deletionTimestamp) return 'Terminating';
  return containersOf(pod).find(({ state }) => state?.waiting)?.state.waiting.reason ?? pod.status?.phase ?? '';
}

const restarts = (pod: Obj): number => containersOf(pod).reduce((sum, { restartCount = 0 }) => sum + restartCount, 0);
const ready = (pod: Obj): string => `${containersOf(pod).filter((each) => each.ready).length}/${pod.spec.containers?.length ?? 0}`;

function available({ spec, status }: Obj): string {
  const condition = status?.conditions?.find(({ type }: Obj) => type === 'Available');
  if (!condition) return spec?.service ? 'Unknown' : 'True';
  return condition.status === 'True' ? 'True' : `${condition.status} (${condition.reason})`;
}

const columns: Readonly<Record<string, readonly Column[]>> = {
  APIService: [
    name,
    text('Service', ({ spec }) => (spec?.service ? `${spec.service.namespace}/${spec.service.name}` : 'Local')),
    text('Available', available),
    age,
  ],
  Deployment: [
    name,
    text('Ready', ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec.replicas ?? 0}`),
    text('Up-to-date', ({ status }) => status?.updatedReplicas ?? 0),
    text('Available', ({ status }) => status?.availableReplicas ?? 0),
    age,
  ],
  Pod: [name, text('Ready', ready), text('Status', podStatus), text('Restarts', restarts), age],
  Service: [
    name,
    text('Type', ({ spec }) => spec.type),
    text('Cluster-IP', ({ spec }) => spec.clusterIP ?? none),
    text('External-IP', ({ spec }) => spec.externalName ?? none),
    text('Port(s)', ({ spec }) => (spec.ports ?? []).map(portOf).join(',') || none),
    age,
  ],
};

/**
 * Columns and rows of a Table, which `kubectl get` requests (k8s.io/apimachinery/pkg/apis/meta/v1).
 * Kinds without columns here get the name and the age.
 * @param shown - the object of a row
 */
export function tableOf(
  kind: Kind,
  objects: readonly Obj[],
  shown: (object: Obj) => Obj,
  now: Date,
): { readonly columnDefinitions: Obj; readonly rows: Obj } {
  const of = columns[kind.kind] ?? [name, age];
  const columnDefinitions = of.map((column) => ({
    name: column.name,
    type: 'string',
    format: column.name === 'Name' ? 'name' : '',
    description: '',
    priority: 0,
  }));
  return { columnDefinitions, rows: objects.map((object) => ({ cells: of.map(({ cell }) => cell(object, now)), object: shown(object) })) };
}
