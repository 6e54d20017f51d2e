import { serverNameOf } from '../../config/registration.ts';
import { notGiven, skipped } from '../observed.ts';
import { flagValue } from '../server-flags.ts';
import { viewServer } from '../server-view.ts';
import type { ApiServiceView, ApiSnapshot, Observed, RelatedView, ServerView, ServiceView } from '../types.ts';
import { viewService } from '../views.ts';
import { offlineDelegation } from './delegation.ts';
import { certificatesOf, createdSecrets } from './injectors.ts';
import type { OfflineObjects } from './objects.ts';
import { type Account, type Bindings, indexBindings, userOf, writersOf } from './rbac.ts';
import { offlineSecret } from './secrets.ts';
import { nearService } from './service.ts';
import {
  accountsInUse,
  isMissed,
  labelsInNamespace,
  ownCertificateFlag,
  portNames,
  runningContainers,
  selectedWorkloads,
  type Workload,
} from './workloads.ts';

/** Why no certificate is known where no workload of the files is behind the Service. */
const withoutWorkload = (service: ServiceView | undefined): string =>
  service && selectsPods(service) ? 'the Service selects no pods of the files' : 'the files contain no Secret with them';

/** The server behind an APIService, as the files describe it. */

/** What all APIServices of the files share. Each namespace and account is looked at once. */
export interface Shared {
  readonly objects: OfflineObjects;
  readonly bindings: Bindings;
  readonly createdIn: (namespace: string) => ReadonlyMap<string, string>;
  readonly delegationOf: (account: Account) => ApiSnapshot['delegation'];
}

export function shareObjects(objects: OfflineObjects): Shared {
  const bindings = indexBindings(objects);
  const inUse = accountsInUse(objects);
  return {
    objects,
    bindings,
    createdIn: once(
      (namespace) => namespace,
      (namespace) => createdSecrets(objects, namespace),
    ),
    delegationOf: once(userOf, (account) => offlineDelegation(bindings, account, inUse)),
  };
}

function once<Argument, Result extends object>(keyOf: (argument: Argument) => string, make: (argument: Argument) => Result) {
  const known = new Map<string, Result>();
  return (argument: Argument): Result => {
    const key = keyOf(argument);
    const result = known.get(key) ?? make(argument);
    known.set(key, result);
    return result;
  };
}

type ServiceRef = NonNullable<ApiServiceView['service']>;
type Behind = Pick<ApiSnapshot, 'service' | 'server' | 'secret' | 'probes' | 'delegation' | 'related'>;

/** @param api an APIService with a Service */
export function offlineServer(shared: Shared, api: ApiServiceView, ref: ServiceRef): Behind {
  const { objects } = shared;
  const object = objects.find('Service', ref.namespace, ref.name);
  const service = object && viewService(object);
  const targetPort = service?.ports.find(({ port }) => port === ref.port)?.targetPort;
  const selected = service && selectsPods(service) ? selectedWorkloads(objects, ref.namespace, service, targetPort) : [];
  const [workload] = selected;
  const unselected = service && selectsPods(service) && !workload ? labelsInNamespace(objects, ref.namespace) : [];
  const server: Observed<ServerView> = workload
    ? { state: 'seen', value: viewServer(workload.pod, targetPort) }
    : noServer(service, unselected);
  const secret = server.state === 'seen' ? server.value.certificateSecret : undefined;
  const host = serverNameOf(ref);
  const near = service ? undefined : nearService(objects, ref);
  return {
    service: service ? { state: 'seen', value: service } : notGiven('the files do not contain it'),
    server,
    ...(workload
      ? offlineSecret({ objects, workload, targetPort, host, created: shared.createdIn(ref.namespace) })
      : { secret: skipped('its workload is not known'), probes: notGiven(withoutWorkload(service)) }),
    delegation:
      server.state === 'seen' && !usesKubeconfig(server.value)
        ? shared.delegationOf({ namespace: ref.namespace, name: server.value.serviceAccount })
        : skipped('no ServiceAccount is used, or it is not known'),
    related: {
      ...(near ? { nearService: near } : {}),
      ...(workload ? { workload: relatedWorkload(workload, selected, targetPort) } : {}),
      unselected,
      ...(unselected.length === 1 && isMissed(objects, ref.namespace, targetPort) ? { missedServer: true } : {}),
      ...certificatesOf({ objects, api, service: ref, host, secret }),
      writers: writersOf(shared.bindings, api.name),
    },
  };
}

/** A server with a kubeconfig does not use its ServiceAccount to verify users. */
const usesKubeconfig = ({ flags }: ServerView): boolean =>
  ['authentication-kubeconfig', 'authorization-kubeconfig'].every((name) => flagValue(flags, name));

/**
 * Without a selector, something else manages the endpoints. That of type ExternalName is ignored.
 */
const selectsPods = ({ selector, type }: ServiceView): boolean => Object.keys(selector).length > 0 && type !== 'ExternalName';

/** Workloads that the Service does not select are a finding. */
function noServer(service: ServiceView | undefined, unselected: readonly string[]): Observed<never> {
  if (!service) return notGiven('the files do not contain the Service');
  if (!selectsPods(service)) return notGiven('the Service selects no pods');
  return unselected.length > 0
    ? skipped('the Service selects no pod in the files')
    : notGiven('the files contain no workload that the Service selects');
}

function relatedWorkload(
  { kind, namespace, name, pod }: Workload,
  selected: readonly Workload[],
  targetPort: string | undefined,
): NonNullable<RelatedView['workload']> {
  const flag = ownCertificateFlag(pod, targetPort);
  const ports = [...new Set(selected.flatMap((each) => portNames(each.pod)))];
  return {
    kind,
    namespace,
    name,
    ports,
    containers: runningContainers(pod).length,
    ...(selected.every(({ replicas }) => replicas === 0) ? { withoutReplicas: true as const } : {}),
    ...(flag === undefined ? {} : { ownCertificate: flag }),
  };
}
