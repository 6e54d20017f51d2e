import { setTimeout as sleep } from 'node:timers/promises';
import { groupVersionOf } from '../../config/registration.ts';
import { isMetricsGroup, parseResourceList } from '../api-resources.ts';
import { seen, skipped } from '../observed.ts';
import { similarNames } from '../similar-names.ts';
import type { ApiServiceView, ApiSnapshot, HttpView, Observed, SnapshotOptions } from '../types.ts';
import { withoutPrivateKeys } from '../views.ts';
import { requestAnonymously } from './anonymous.ts';
import { type Backend, noBackend, type ServiceRef } from './backend.ts';
import { collectCertManager } from './cert-manager.ts';
import type { CollectContext } from './context.ts';
import { collectList } from './list.ts';
import { handshakeWithoutName } from './nameless.ts';
import { backendTimeoutMs } from './observe.ts';
import type { Registrations } from './registrations.ts';
import { requestRepeatedly } from './repeated.ts';
import { answerAs, type CheckedUser, getForwarded, getOpenApi, getThroughService, pathsOf } from './requests.ts';
import type { ServingContainer } from './server-log.ts';

/** What the snapshots of all APIServices share. */
export interface Shared {
  readonly context: CollectContext;
  /** The version of kube-apiserver. */
  readonly version: Promise<string | undefined>;
  /** A user whose access is checked. */
  readonly user: CheckedUser | undefined;
  readonly probe: SnapshotOptions['probe'];
  /** How many equal requests are sent for each of several endpoints. */
  readonly requestsForEach: number;
  readonly all: Registrations['all'];
  readonly neighboursOf: (name: string, apiService: Observed<ApiServiceView>) => ApiSnapshot['neighbours'];
  readonly requestHeader: ApiSnapshot['requestHeader'];
  readonly serviceOf: (service: ServiceRef) => Promise<ApiSnapshot['service']>;
  /** Collects what is behind each Service once, however many APIServices point at it. */
  readonly backendOf: (service: ServiceRef) => Promise<Backend>;
  /** Requests each group once, however many versions it has. */
  readonly groupOf: (path: string) => Promise<Observed<HttpView>>;
  readonly customResourcesOf: (group: string) => Promise<ApiSnapshot['customResources']>;
  readonly listedOf: (name: string) => Promise<ApiSnapshot['listed']>;
  /** Reads the log of each server once. */
  readonly logOf: (container: ServingContainer) => Promise<ApiSnapshot['serverLog']>;
}

/**
 * Collects the snapshot of one APIService. Independent requests run at the same time, so that a
 * server that hangs costs one time-out.
 * @throws the reason of the signal
 */
export async function snapshotApi(shared: Shared, name: string, registered: Observed<ApiServiceView>): Promise<ApiSnapshot> {
  const apiService = withoutKeys(registered);
  const { context, user, all, requestHeader, probe } = shared;
  const paths = pathsOf(name);
  const aggregatedAnswer = getForwarded(context, paths.version);
  const skip = whySkipped(apiService);
  const registration = skip ? undefined : seen(apiService);
  const [aggregated, group, openApi, behind, asUser, customResources, listed, lists, certManager] = await Promise.all([
    aggregatedAnswer,
    skip ?? groupOf(shared, paths.group, aggregatedAnswer),
    skip ?? openApiOf(context, paths.openApi, aggregatedAnswer),
    collectBehind(shared, apiService, paths.version, aggregatedAnswer),
    answerAs(context, user, paths.version, aggregatedAnswer),
    skip ?? shared.customResourcesOf(groupVersionOf(name).group),
    skip ?? shared.listedOf(name),
    skip ? { list: skip, listAsUser: skip } : collectList(context, { root: paths.version, discovery: aggregatedAnswer, probe, user }),
    registration && collectCertManager(context, registration),
  ]);
  const neighbours = shared.neighboursOf(name, apiService);
  const answers = { aggregated, group, openApi, ...lists, asUser };
  const similar = apiService.state === 'absent' ? { similar: similarNames(name, namesOf(all)) } : {};
  return {
    name,
    ...similar,
    apiService,
    ...answers,
    ...behind,
    requestHeader,
    neighbours,
    customResources,
    listed,
    ...(certManager ? { certManager } : {}),
  };
}

const namesOf = (all: Registrations['all']): string[] => (seen(all) ?? []).map(({ name }) => name);

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

async function collectBehind(shared: Shared, apiService: Observed<ApiServiceView>, path: string, answering: Promise<Observed<HttpView>>) {
  const { context, version, backendOf } = shared;
  const service = seen(apiService)?.service;
  if (apiService.state !== 'seen' || !service) {
    const nothing = whySkipped(apiService) ?? skipped('the Service it points at is not known');
    const direct = { anonymous: nothing, forged: nothing, endpointAnswers: nothing };
    return { ...noBackend(nothing), ...direct, serviceProxy: nothing, repeated: nothing, serverLog: nothing };
  }
  const collect = async () => {
    const { targets, container, ...backend } = await backendOf(service);
    const reached = { ...backend, targets, container };
    const [direct, repeated, serverLog, nameless] = await Promise.all([
      requestAnonymously(context, apiService.value, reached, path),
      repeatedOf(shared, path, targets.length, answering),
      serverLogOf(shared, apiService.value, container, answering),
      handshakeWithoutName(context, apiService.value, reached, version),
    ]);
    return { ...backend, ...direct, repeated, serverLog, ...(nameless ? { nameless } : {}) };
  };
  const [backend, serviceProxy] = await Promise.all([collect(), throughService(shared, service, path, answering)]);
  return { ...backend, serviceProxy };
}

/** Requests are only repeated where the first one got an answer. */
async function repeatedOf(shared: Shared, path: string, endpoints: number, answering: Promise<Observed<HttpView>>) {
  if ((await answering).state !== 'seen') return skipped('the API does not answer through the aggregator');
  return requestRepeatedly(shared.context, { path, endpoints, each: shared.requestsForEach });
}

/** The log tells why an adapter has no metrics. */
async function serverLogOf(
  { logOf }: Shared,
  { group }: ApiServiceView,
  container: ServingContainer | undefined,
  answering: Promise<Observed<HttpView>>,
) {
  if (!isMetricsGroup(group)) return skipped('the API is not one of metrics');
  const answer = seen(await answering);
  const list = answer?.status === 200 ? parseResourceList(answer.body) : undefined;
  if (!list) return skipped('the API does not list its resources');
  if (list.resources.length > 0) return skipped('the API has resources');
  return container ? logOf(container) : skipped('the container of the server is not known');
}

/** The versions of a group say nothing of an API that does not answer. */
async function groupOf(shared: Shared, path: string, aggregatedAnswer: Promise<Observed<HttpView>>) {
  const aggregated = await aggregatedAnswer;
  const fails =
    aggregated.state === 'seen' ? aggregated.value.status !== 200 : aggregated.state === 'unseen' && aggregated.reason === 'unreachable';
  return fails ? skipped('the API does not answer through the aggregator') : shared.groupOf(path);
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
async function throughService(shared: Shared, service: ServiceRef, path: string, aggregatedAnswer: Promise<Observed<HttpView>>) {
  const early = sleep(backendTimeoutMs, undefined, { ref: false });
  const aggregated = await Promise.race([aggregatedAnswer, early]);
  if (aggregated?.state === 'seen' && aggregated.value.status === 200) return skipped('the API answers through the aggregator');
  const { state } = await shared.serviceOf(service);
  return state === 'absent' ? skipped('the Service does not exist') : getThroughService(shared.context, service, path);
}
