import type { Kind, Obj } from './types.ts';

type Cell = string | number;

interface Column {
  readonly name: string;
  readonly cell: (object: Obj, now: Date) => Cell;
}

// Columns of k8s.io/kubernetes/pkg/printers/internalversion/printers.go, without those of -o wide.

const none = '<none>';
const unknown = '<unknown>';

const seconds = { s: 1, m: 60, h: 3600, d: 86_400 } as const;
type Unit = keyof typeof seconds;
/** Below so many seconds, a duration has this unit and perhaps a smaller one. */
const spans: readonly (readonly [below: number, unit: Unit, rest?: Unit])[] = [
  [2 * seconds.m, 's'],
  [10 * seconds.m, 'm', 's'],
  [3 * seconds.h, 'm'],
  [8 * seconds.h, 'h', 'm'],
  [2 * seconds.d, 'h'],
  [8 * seconds.d, 'd', 'h'],
  [Number.POSITIVE_INFINITY, 'd'],
];

/** An age (k8s.io/apimachinery/pkg/util/duration/duration.go, HumanDuration), without years. */
export function ago(since: string | undefined, now: Date): string {
  if (!since) return unknown;
  const age = Math.floor((now.getTime() - Date.parse(since)) / 1000);
  if (age < -1) return '<invalid>';
  const [, unit = 's', smaller] = spans.find(([below]) => age < below) ?? [];
  const whole = `${Math.floor(Math.max(age, 0) / seconds[unit])}${unit}`;
  const rest = smaller ? Math.floor((age % seconds[unit]) / seconds[smaller]) : 0;
  return rest > 0 ? `${whole}${rest}${smaller}` : whole;
}

const name: Column = { name: 'Name', cell: ({ metadata }) => metadata.name ?? '' };
const age: Column = { name: 'Age', cell: ({ metadata }, now) => ago(metadata.creationTimestamp, now) };
const text = (title: string, cell: (object: Obj, now: Date) => Cell): Column => ({ name: title, cell });

const externalAddress = ({ spec }: Obj): string => spec.externalName ?? (spec.externalIPs?.join(',') || none);
const portOf = ({ port, nodePort, protocol }: Obj): string => `${nodePort ? `${port}:${nodePort}` : port}/${protocol}`;

/** Init containers do not count. */
function podStatus({ metadata, status = {} }: Obj): string {
  const { phase = '', reason = phase, containerStatuses = [] } = status;
  const reasons = containerStatuses.map(({ state = {} }: Obj) => {
    const { waiting, terminated } = state;
    if (waiting?.reason) return waiting.reason;
    return terminated && (terminated.reason || (terminated.signal ? `Signal:${terminated.signal}` : `ExitCode:${terminated.exitCode}`));
  });
  const shown = reasons.find(Boolean) ?? reason;
  return metadata.deletionTimestamp && !['Failed', 'Succeeded'].includes(phase) ? 'Terminating' : shown;
}

function restarts({ status }: Obj, now: Date): string {
  const all: readonly Obj[] = status?.containerStatuses ?? [];
  const count = all.reduce((sum, { restartCount = 0 }) => sum + restartCount, 0);
  const last = all
    .map(({ lastState }) => lastState?.terminated?.finishedAt ?? '')
    .sort()
    .at(-1);
  return count > 0 && last ? `${count} (${ago(last, now)} ago)` : String(count);
}

const ready = ({ spec, status }: Obj): string =>
  `${(status?.containerStatuses ?? []).filter((each: Obj) => each.ready).length}/${spec.containers?.length ?? 0}`;

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
    text('External-IP', externalAddress),
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
