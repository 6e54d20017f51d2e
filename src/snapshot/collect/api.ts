import { setTimeout as sleep } from 'node:timers/promises';
import { groupVersionOf } from '../../config/registration.ts';
import { seen, skipped } from '../observed.ts';
import type { ApiServiceView, ApiSnapshot, HttpView, Observed } from '../types.ts';
import { withoutPrivateKeys } from '../views.ts';
import { requestAnonymously } from './anonymous.ts';
import { type Backend, noBackend, type ServiceRef } from './backend.ts';
import type { CollectContext } from './context.ts';
import { backendTimeoutMs } from './observe.ts';
import { neighboursOf, type Registrations } from './registrations.ts';
import { getAsUser, getForwarded, getOpenApi, getThroughService, pathsOf } from './requests.ts';

/** What the snapshots of all APIServices share. */
export interface Shared {
  readonly context: CollectContext;
  /** The ordinary user to send requests as. */
  readonly asUser: string | undefined;
  readonly all: Registrations['all'];
  readonly requestHeader: ApiSnapshot['requestHeader'];
  /** Collects each Service once, however many APIServices point at it. */
  readonly backendOf: (service: ServiceRef) => Promise<Backend>;
  /** Requests each group once, however many versions it has. */
  readonly groupOf: (path: string) => Promise<Observed<HttpView>>;
  readonly customResourcesOf: (group: string) => Promise<ApiSnapshot['customResources']>;
  readonly listedOf: (name: string) => Promise<ApiSnapshot['listed']>;
}

/**
 * Collects the snapshot of one APIService. Independent requests run at the same time, so that a
 * server that hangs costs one time-out.
 * @throws the reason of the signal
 */
export async function snapshotApi(shared: Shared, name: string, registered: Observed<ApiServiceView>): Promise<ApiSnapshot> {
  const apiService = withoutKeys(registered);
  const { context, asUser: user, all, requestHeader } = shared;
  const paths = pathsOf(name);
  const aggregatedAnswer = getForwarded(context, paths.version);
  const skip = whySkipped(apiService);
  const [aggregated, group, openApi, behind, asUser, customResources, listed] = await Promise.all([
    aggregatedAnswer,
    skip ?? shared.groupOf(paths.group),
    skip ?? openApiOf(context, paths.openApi, aggregatedAnswer),
    collectBehind(shared, apiService, paths.version, aggregatedAnswer),
    user === undefined ? skipped('--as-user is not set') : getAsUser(context, user, paths.version),
    skip ?? shared.customResourcesOf(groupVersionOf(name).group),
    skip ?? shared.listedOf(name),
  ]);
  const neighbours = neighboursOf(name, apiService, all);
  return { name, apiService, aggregated, group, openApi, ...behind, asUser, requestHeader, neighbours, customResources, listed };
}

const withoutKeys = (registered: Observed<ApiServiceView>): Observed<ApiServiceView> =>
  registered.state === 'seen' ? { state: 'seen', value: withoutPrivateKeys(registered.value) } : registered;

/**
 * An APIService that does not exist, or that kube-apiserver serves itself, needs no further
 * requests.
 */
function whySkipped(apiService: Observed<ApiServiceView>): Observed<never> | undefined {
  if (apiService.state === 'absent') return skipped('the APIService does not exist');
  return apiService.state === 'seen' && !apiService.value.service ? skipped('it is Local: kube-apiserver serves it itself') : undefined;
}

async function collectBehind(
  { context, backendOf }: Shared,
  apiService: Observed<ApiServiceView>,
  path: string,
  aggregatedAnswer: Promise<Observed<HttpView>>,
) {
  const service = seen(apiService)?.service;
  if (apiService.state !== 'seen' || !service) {
    const nothing = whySkipped(apiService) ?? skipped('the Service it points at is not known');
    return { ...noBackend(nothing), anonymous: nothing, forged: nothing, serviceProxy: nothing };
  }
  const collect = async () => {
    const { targets, ...backend } = await backendOf(service);
    return { ...backend, ...(await requestAnonymously(context, apiService.value, { ...backend, targets }, path)) };
  };
  const [backend, serviceProxy] = await Promise.all([collect(), throughService(context, service, path, aggregatedAnswer)]);
  return { ...backend, serviceProxy };
}

/** OpenAPI is only requested where discovery works: clients read discovery first. */
async function openApiOf(context: CollectContext, path: string, aggregatedAnswer: Promise<Observed<HttpView>>) {
  const aggregated = await aggregatedAnswer;
  const answers = aggregated.state === 'seen' && aggregated.value.status === 200;
  return answers ? getOpenApi(context, path) : skipped('the API does not answer through the aggregator');
}

/**
 * The service proxy needs a separate permission. It is only used where the aggregator fails. It
 * starts before a silent aggregator times out, so that both waits overlap.
 */
async function throughService(context: CollectContext, service: ServiceRef, path: string, aggregatedAnswer: Promise<Observed<HttpView>>) {
  const early = sleep(backendTimeoutMs, undefined, { ref: false });
  const aggregated = await Promise.race([aggregatedAnswer, early]);
  if (aggregated?.state === 'seen' && aggregated.value.status === 200) return skipped('the API answers through the aggregator');
  return getThroughService(context, service, path);
}
