import { mayGetPath, mayI, mayUser, mayUserGetPath } from '../../cluster/access.ts';
import type { Answer } from '../../cluster/answer.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import { Unreachable } from '../../cluster/faults.ts';
import type { ClusterRequest } from '../../cluster/link.ts';
import { type ObjectRef, resourcePath, resources, subresources } from '../../cluster/resources.ts';
import { anonymousFix, rbacRule, readStatus, refusal } from '../../cluster/status.ts';
import { redacted } from '../../config/redact.ts';
import { groupVersionOf } from '../../config/registration.ts';
import { needOf } from '../api-resources.ts';
import { seen, skipped } from '../observed.ts';
import type { AsUserView, HttpView, Observed } from '../types.ts';
import type { ServiceRef } from './backend.ts';
import type { CollectContext, RequestContext } from './context.ts';
import { availabilityTimeoutMs, backendTimeoutMs, observe, patientTimeoutMs, unseenAfter } from './observe.ts';

/**
 * The most characters of a body that are kept. The discovery document of a large API has about 50
 * kB.
 */
const bodyLimit = 1024 * 1024;
/** The same for an answer with an error status. */
const errorLimit = 16 * 1024;

/** The paths of an API. `v1.` is the core group, which has other paths. */
export function pathsOf(name: string): { readonly version: string; readonly group: string; readonly openApi: string } {
  const { version, group } = groupVersionOf(name);
  const root = group === '' ? 'api' : `apis/${group}`;
  return { version: `/${root}/${version}`, group: `/${root}`, openApi: `/openapi/v3/${root}/${version}` };
}

/**
 * The part of an answer that is kept. Cut text is copied, because a substring keeps the whole
 * string in memory.
 */
export function viewAnswer(path: string, { status, body }: Answer, limit = status === 200 ? bodyLimit : errorLimit): HttpView {
  const text = status === 200 ? body.trim() : redacted(body.trim());
  return { path, status, body: text.length > limit ? Buffer.from(text.slice(0, limit)).toString() : text };
}

/**
 * The answer, with its duration if the availability check of kube-apiserver would not wait so long.
 */
export const timed = (answer: HttpView, tookMs: number): HttpView =>
  tookMs > availabilityTimeoutMs ? { ...answer, slowMs: tookMs } : answer;

/**
 * GET of a path that kube-apiserver forwards to an extension API server, as the current user. It
 * waits longer than the availability check of kube-apiserver, to tell a slow server from one that
 * never answers. Where kube-apiserver itself answers, the failure is one of the server.
 * @throws the reason of the signal
 */
export async function getForwarded(context: CollectContext, path: string): Promise<Observed<HttpView>> {
  const started = performance.now();
  const elapsedMs = (): number => Math.round(performance.now() - started);
  try {
    const answer = await permitted(context, { path, keepBytes: bodyLimit, timeoutMs: patientTimeoutMs });
    return answer.state === 'seen' ? { state: 'seen', value: timed(viewAnswer(path, answer.value), elapsedMs()) } : answer;
  } catch (error) {
    const nothing = unseenAfter(context, error, patientTimeoutMs);
    const afterMs = elapsedMs();
    if (!(error instanceof Unreachable) || !(await apiServerAnswers(context))) return nothing;
    const { received, timedOut } = error;
    const kind = timedOut ? (received ? 'stalled' : 'none') : 'cut-off';
    return { ...nothing, fault: { kind, afterMs, ...(received ? { received } : {}) } };
  }
}

/** Whether kube-apiserver answers a request that it does not forward. */
async function apiServerAnswers({ cluster, signal }: RequestContext): Promise<boolean> {
  try {
    return (await cluster.request({ path: '/version', signal, timeoutMs: backendTimeoutMs })).status < 500;
  } catch {
    signal.throwIfAborted();
    return false;
  }
}

/** GET of a path as the current user. @throws the reason of the signal */
export async function getPath(context: CollectContext, path: string): Promise<Observed<HttpView>> {
  const answer = await answerOf(context, { path, keepBytes: bodyLimit });
  return answer.state === 'seen' ? { state: 'seen', value: viewAnswer(path, answer.value) } : answer;
}

/** The answer to a GET of a path, whatever its status. @throws the reason of the signal */
export async function answerOf(
  asking: RequestContext,
  request: Pick<ClusterRequest, 'path' | 'accept' | 'keepBytes'>,
): Promise<Observed<Answer>> {
  try {
    return await permitted(asking, { ...request, timeoutMs: backendTimeoutMs });
  } catch (error) {
    // system:anonymous may not create SelfSubjectAccessReviews.
    return unseenAfter(asking, error);
  }
}

/**
 * The answer to a GET of a path, unless RBAC forbids the path. kube-apiserver checks RBAC before it
 * proxies a request. Where RBAC allows the path, the server refused.
 */
async function permitted(asking: RequestContext, request: Omit<ClusterRequest, 'signal'>): Promise<Observed<Answer>> {
  const { cluster, signal } = asking;
  const answer = await cluster.request({ ...request, signal });
  if (answer.status === 403 && !(await mayGet(asking, request.path))) return forbiddenPath(cluster, request.path, answer);
  return { state: 'seen', value: answer };
}

/** Whether RBAC allows a GET. @param user the current user by default. @throws as `mayI` */
function mayGet({ cluster, signal }: RequestContext, path: string, user?: string): Promise<boolean> {
  const need = needOf(path);
  if (user === undefined) return need ? mayI(cluster, need.verb, need.ref, signal) : mayGetPath(cluster, path, signal);
  return need ? mayUser(cluster, user, need, signal) : mayUserGetPath(cluster, user, path, signal);
}

function forbiddenPath(cluster: Cluster, path: string, answer: Answer): Observed<never> {
  const { message } = readStatus(answer);
  const need = needOf(path);
  const rule = need ? rbacRule(need.ref, need.verb) : `ClusterRole: {nonResourceURLs: ["${path}"], verbs: [get]}`;
  const fix = anonymousFix(cluster, message) ?? `Grant this RBAC rule: ${rule}`;
  return { state: 'unseen', reason: 'forbidden', words: `${message}. ${fix}` };
}

/**
 * GET of the OpenAPI document, without its body, which is large.
 * @throws the reason of the signal
 */
export async function getOpenApi(context: CollectContext, path: string): Promise<Observed<HttpView>> {
  const found = await getPath(context, path);
  return found.state === 'seen' && found.value.status === 200 ? { state: 'seen', value: { ...found.value, body: '' } } : found;
}

/**
 * GET of a path through the service proxy
 * (k8s.io/kubernetes/pkg/registry/core/service/storage/storage.go, ResourceLocation).
 * @throws the reason of the signal
 */
export async function getThroughService(
  context: CollectContext,
  { namespace, name, port }: ServiceRef,
  path: string,
): Promise<Observed<HttpView>> {
  const { cluster, signal } = context;
  const ref = { resource: subresources.serviceProxy, namespace, name: `https:${name}:${port}` };
  const full = `${resourcePath(ref.resource, namespace, ref.name)}${path}`;
  try {
    const answer = await cluster.request({ path: full, signal, timeoutMs: backendTimeoutMs, keepBytes: bodyLimit });
    // The service proxy sends no identity, so the server itself may refuse.
    if (answer.status === 403 && !(await mayI(cluster, 'get', ref, signal))) {
      throw refusal(cluster, { verb: 'get', ref }, answer, new Date());
    }
    return { state: 'seen', value: viewAnswer(full, answer) };
  } catch (error) {
    return unseenAfter(context, error);
  }
}

/** A user whose access is checked. */
export interface CheckedUser {
  readonly name: string;
  /** Whether all requests are sent as this user (--as). */
  readonly current: boolean;
}

/**
 * The answer that a user gets to a GET.
 * @param own the answer to the same request of the current user
 * @throws the reason of the signal
 */
export async function answerAs(
  context: CollectContext,
  user: CheckedUser | undefined,
  path: string,
  own: Promise<Observed<HttpView>>,
): Promise<Observed<AsUserView>> {
  if (user === undefined) return skipped('neither --as-user nor --as is set');
  const same = user.current ? await own : undefined;
  // A refusal of RBAC is not kept as an answer.
  if (same?.state === 'seen') return { state: 'seen', value: { ...same.value, user: user.name, allowed: true } };
  return getAsUser(context, user, path);
}

/**
 * GET of a path as a user, by impersonation, and whether RBAC allows it. The objects of a list are
 * not kept.
 * @throws the reason of the signal
 */
async function getAsUser(context: CollectContext, user: CheckedUser, path: string): Promise<Observed<AsUserView>> {
  const { name, current } = user;
  const [answered, allowed] = await Promise.all([
    impersonated(context, user, path),
    observe(
      context,
      () => mayGet(context, path, current ? undefined : name),
      (may) => may,
    ),
  ]);
  if (answered.state !== 'seen') return answered;
  return { state: 'seen', value: { ...answered.value, user: name, allowed: seen(allowed) } };
}

async function impersonated(context: CollectContext, { name, current }: CheckedUser, path: string): Promise<Observed<HttpView>> {
  const { cluster, signal } = context;
  const as = current ? {} : { as: name };
  try {
    const answer = await cluster.request({ path, signal, ...as, timeoutMs: backendTimeoutMs, keepBytes: errorLimit });
    const { message } = readStatus(answer);
    // The impersonation itself is refused, before authorization of the user
    // (k8s.io/apiserver/pkg/endpoints/filters/impersonation).
    if (answer.status === 403 && / cannot impersonate/.test(message)) {
      throw refusal(cluster, { verb: 'impersonate', ref: identityRef(name) }, answer, new Date());
    }
    const view = viewAnswer(path, answer, errorLimit);
    return { state: 'seen', value: needOf(path) ? withoutObjects(view) : view };
  } catch (error) {
    return unseenAfter(context, error);
  }
}

/** Keeps the body of an error only. Objects may be confidential. */
export const withoutObjects = (answer: HttpView): HttpView => (answer.status === 200 ? { ...answer, body: '' } : answer);

/** The resource that an RBAC rule about impersonation names. */
function identityRef(user: string): ObjectRef {
  const [, namespace, name] = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(user) ?? [];
  return name === undefined
    ? { resource: resources.User, namespace: undefined, name: user }
    : { resource: resources.ServiceAccount, namespace, name };
}
