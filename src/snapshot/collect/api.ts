import { groupVersionOf } from '../../config/registration.ts';
import type { ApiServiceView, ApiSnapshot, HttpView, Observed } from '../types.ts';
import { withoutPrivateKeys } from '../views.ts';
import { askAsStranger } from './anonymous.ts';
import { type Backend, noBackend, type ServiceRef } from './backend.ts';
import { type Looking, skipped } from './looking.ts';
import { neighboursOf, type Registrations } from './registrations.ts';
import { getAsUser, getOpenApi, getPath, getThroughService, pathsOf } from './requests.ts';

/** What the looks at single APIs have in common. */
export interface Shared {
  readonly looking: Looking;
  /** Somebody else to ask as. */
  readonly asUser: string | undefined;
  readonly all: Registrations['all'];
  readonly requestHeader: ApiSnapshot['requestHeader'];
  /** Looks at every Service once, however many APIServices point at it. */
  readonly backendOf: (service: ServiceRef) => Promise<Backend>;
  /** Asks for every group once, however many versions it has. */
  readonly groupOf: (path: string) => Promise<Observed<HttpView>>;
  readonly customResourcesOf: (group: string) => Promise<ApiSnapshot['customResources']>;
  readonly listedOf: (name: string) => Promise<ApiSnapshot['listed']>;
}

/** Looks at one API: everything at the same time that does not depend on something else, so that a server that hangs costs one time-out. @throws the signal's reason */
export async function snapshotApi(shared: Shared, name: string, registered: Observed<ApiServiceView>): Promise<ApiSnapshot> {
  const apiService = kept(registered);
  const { looking, asUser: user, all, requestHeader } = shared;
  const paths = pathsOf(name);
  const aggregating = getPath(looking, paths.version);
  const idle = whyIdle(apiService);
  const [aggregated, group, openApi, behind, asUser, customResources, listed] = await Promise.all([
    aggregating,
    idle ?? shared.groupOf(paths.group),
    idle ?? openApiOf(looking, paths.openApi, aggregating),
    lookBehind(shared, apiService, paths.version, aggregating),
    user === undefined ? skipped('no user was named') : getAsUser(looking, user, paths.version),
    idle ?? shared.customResourcesOf(groupVersionOf(name).group),
    idle ?? shared.listedOf(name),
  ]);
  const neighbours = neighboursOf(name, apiService, all);
  return { name, apiService, aggregated, group, openApi, ...behind, asUser, requestHeader, neighbours, customResources, listed };
}

const kept = (registered: Observed<ApiServiceView>): Observed<ApiServiceView> =>
  registered.state === 'seen' ? { state: 'seen', value: withoutPrivateKeys(registered.value) } : registered;

/** Nothing more is asked of an API that kube-apiserver serves itself, or that is not there. */
function whyIdle(apiService: Observed<ApiServiceView>): Observed<never> | undefined {
  if (apiService.state === 'absent') return skipped('there is no such APIService');
  return apiService.state === 'seen' && !apiService.value.service ? skipped('it is Local: kube-apiserver serves it itself') : undefined;
}

async function lookBehind(
  { looking, backendOf }: Shared,
  apiService: Observed<ApiServiceView>,
  path: string,
  aggregating: Promise<Observed<HttpView>>,
) {
  const service = apiService.state === 'seen' ? apiService.value.service : undefined;
  if (apiService.state !== 'seen' || !service) {
    const nothing = whyIdle(apiService) ?? skipped('it is not known which Service it points at');
    return { ...noBackend(nothing), anonymous: nothing, forged: nothing, serviceProxy: nothing };
  }
  const asking = async () => {
    const { targets, ...backend } = await backendOf(service);
    return { ...backend, ...(await askAsStranger(looking, apiService.value, { ...backend, targets }, path)) };
  };
  const [backend, serviceProxy] = await Promise.all([asking(), throughService(looking, service, path, aggregating)]);
  return { ...backend, serviceProxy };
}

/** Where discovery itself fails, nobody gets as far as OpenAPI. */
async function openApiOf(looking: Looking, path: string, aggregating: Promise<Observed<HttpView>>) {
  const aggregated = await aggregating;
  const answers = aggregated.state === 'seen' && aggregated.value.status === 200;
  return answers ? getOpenApi(looking, path) : skipped('the API does not answer through the aggregator');
}

/** The way through the service proxy is only worth a request, and a right, where the way through the aggregator fails. */
async function throughService(looking: Looking, service: ServiceRef, path: string, aggregating: Promise<Observed<HttpView>>) {
  const aggregated = await aggregating;
  if (aggregated.state === 'seen' && aggregated.value.status === 200) return skipped('the API answers through the aggregator');
  // The request would go from the same machine to the same endpoints.
  if (aggregated.state === 'unseen' && aggregated.reason === 'unreachable')
    return skipped('the server gave no answer through the aggregator');
  return getThroughService(looking, service, path);
}
