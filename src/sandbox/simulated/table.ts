import type { Kind, Obj } from './types.ts';

type Cell = string | number;

interface Column {
  readonly name: string;
  readonly cell: (object: Obj, now: Date) => Cell;
}

// The columns and cells are those of k8s.io/kubernetes/pkg/printers/internalversion/printers.go,
// without those for `-o wide`.

const none = '<none>';
const unknown = '<unknown>';

const seconds = { s: 1, m: 60, h: 3600, d: 86_400 } as const;
type Unit = keyof typeof seconds;
/** Below so many seconds: whole ones of a unit, and the rest in a smaller one. */
const spans: readonly (readonly [below: number, unit: Unit, rest?: Unit])[] = [
  [2 * seconds.m, 's'],
  [10 * seconds.m, 'm', 's'],
  [3 * seconds.h, 'm'],
  [8 * seconds.h, 'h', 'm'],
  [2 * seconds.d, 'h'],
  [8 * seconds.d, 'd', 'h'],
  [Number.POSITIVE_INFINITY, 'd'],
];

/**
 * How long ago, as kubectl writes it (k8s.io/apimachinery/pkg/util/duration/duration.go,
 * HumanDuration). No sandbox lives for years.
 */
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

/**
 * What keeps a pod from running, or that it does; of pods with init containers what the others say.
 */
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

function nodeStatus({ spec, status }: Obj): string {
  const condition = status?.conditions?.find(({ type }: Obj) => type === 'Ready');
  const said = condition ? (condition.status === 'True' ? 'Ready' : 'NotReady') : 'Unknown';
  return spec?.unschedulable ? `${said},SchedulingDisabled` : said;
}
const roles = ({ metadata }: Obj): string =>
  Object.keys(metadata.labels ?? {})
    .filter((key) => key.startsWith('node-role.kubernetes.io/'))
    .map((key) => key.slice(24))
    .join(',') || none;

const columns: Readonly<Record<string, readonly Column[]>> = {
  APIService: [
    name,
    text('Service', ({ spec }) => (spec?.service ? `${spec.service.namespace}/${spec.service.name}` : 'Local')),
    text('Available', available),
    age,
  ],
  ConfigMap: [name, text('Data', ({ data = {}, binaryData = {} }) => Object.keys({ ...data, ...binaryData }).length), age],
  Deployment: [
    name,
    text('Ready', ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec.replicas ?? 0}`),
    text('Up-to-date', ({ status }) => status?.updatedReplicas ?? 0),
    text('Available', ({ status }) => status?.availableReplicas ?? 0),
    age,
  ],
  Namespace: [name, text('Status', ({ status }) => status?.phase ?? ''), age],
  Node: [
    name,
    text('Status', nodeStatus),
    text('Roles', roles),
    age,
    text('Version', ({ status }) => status?.nodeInfo?.kubeletVersion ?? ''),
  ],
  Pod: [name, text('Ready', ready), text('Status', podStatus), text('Restarts', restarts), age],
  Secret: [name, text('Type', ({ type }) => type ?? ''), text('Data', ({ data = {} }) => Object.keys(data).length), age],
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
 * Objects as a Table, which is what `kubectl get` asks for (k8s.io/apimachinery/pkg/apis/meta/v1,
 * Table).
 * @param shown - what a row tells of its object
 * @returns the columns and rows, without apiVersion and kind; other kinds than those that people
 * look at have a name and an age
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
