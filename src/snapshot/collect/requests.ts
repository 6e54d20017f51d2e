import { mayGetPath, mayI, mayUserGetPath } from '../../cluster/access.ts';
import type { Answer, ClusterRequest } from '../../cluster/cluster.ts';
import { type ObjectRef, resourcePath, resources, subresources } from '../../cluster/resources.ts';
import { readStatus, refusal } from '../../cluster/status.ts';
import { groupVersionOf } from '../../config/registration.ts';
import { redacted } from '../redact.ts';
import type { AsUserView, HttpView, Observed } from '../types.ts';
import type { ServiceRef } from './backend.ts';
import { type Asking, type Looking, patienceMs, see, unanswered } from './looking.ts';

/** As much of a body as is kept; a discovery document of a large API has some 50 kB. */
const bodyLimit = 1024 * 1024;
/** Of an answer that is no document. */
const errorLimit = 16 * 1024;

/** The paths of an API. `v1.` is the core group, which has paths of its own. */
export function pathsOf(name: string): { readonly version: string; readonly group: string; readonly openApi: string } {
  const { version, group } = groupVersionOf(name);
  const root = group === '' ? 'api' : `apis/${group}`;
  return { version: `/${root}/${version}`, group: `/${root}`, openApi: `/openapi/v3/${root}/${version}` };
}

/** What is kept of an answer. Cut text is copied, since a part of a string holds on to the whole. */
export function viewAnswer(path: string, { status, body }: Answer, limit = status === 200 ? bodyLimit : errorLimit): HttpView {
  const text = status === 200 ? body.trim() : redacted(body.trim());
  return { path, status, body: text.length > limit ? Buffer.from(text.slice(0, limit)).toString() : text };
}

/** GET of a path as the person at the keyboard. @throws the signal's reason */
export async function getPath(looking: Looking, path: string): Promise<Observed<HttpView>> {
  const answer = await answerOf(looking, { path, keepBytes: bodyLimit });
  return answer.state === 'seen' ? { state: 'seen', value: viewAnswer(path, answer.value) } : answer;
}

/** The answer to a GET of a path, whatever its status. @throws the signal's reason */
export async function answerOf(asking: Asking, request: Pick<ClusterRequest, 'path' | 'accept' | 'keepBytes'>): Promise<Observed<Answer>> {
  const { cluster, signal } = asking;
  const { path } = request;
  try {
    const answer = await cluster.request({ ...request, signal, timeoutMs: patienceMs });
    // kube-apiserver asks RBAC before it passes a request on: where that allows the path, it is the server that refuses.
    if (answer.status === 403 && !(await mayGetPath(cluster, path, signal))) return forbiddenPath(path, answer);
    return { state: 'seen', value: answer };
  } catch (error) {
    // system:anonymous may not even ask what it may do.
    return unanswered(asking, error);
  }
}

const forbiddenPath = (path: string, answer: Answer): Observed<never> => ({
  state: 'unseen',
  reason: 'forbidden',
  words: `${readStatus(answer).message}. An RBAC rule that allows it: ClusterRole: {nonResourceURLs: ["${path}"], verbs: [get]}`,
});

/** GET of the OpenAPI document, of which no more is kept than that it is there. @throws the signal's reason */
export async function getOpenApi(looking: Looking, path: string): Promise<Observed<HttpView>> {
  const found = await getPath(looking, path);
  return found.state === 'seen' && found.value.status === 200 ? { state: 'seen', value: { ...found.value, body: '' } } : found;
}

/** GET of a path through the service proxy (k8s.io/kubernetes/pkg/registry/core/service/storage/storage.go, ResourceLocation). @throws the signal's reason */
export async function getThroughService(
  looking: Looking,
  { namespace, name, port }: ServiceRef,
  path: string,
): Promise<Observed<HttpView>> {
  const { cluster, signal } = looking;
  const ref = { resource: subresources.serviceProxy, namespace, name: `https:${name}:${port}` };
  const full = `${resourcePath(ref.resource, namespace, ref.name)}${path}`;
  try {
    const answer = await cluster.request({ path: full, signal, timeoutMs: patienceMs, keepBytes: bodyLimit });
    // As above. The service proxy passes no identity on, so the server may well refuse.
    if (answer.status === 403 && !(await mayI(cluster, 'get', ref, signal))) {
      throw refusal(cluster, { verb: 'get', ref }, answer, new Date());
    }
    return { state: 'seen', value: viewAnswer(full, answer) };
  } catch (error) {
    return unanswered(looking, error);
  }
}

/** GET of a path as somebody else, by impersonation, and whether RBAC allows it. @throws the signal's reason */
export async function getAsUser(looking: Looking, user: string, path: string): Promise<Observed<AsUserView>> {
  const { cluster, signal } = looking;
  const [answered, allowed] = await Promise.all([
    impersonated(looking, user, path),
    see(
      looking,
      () => mayUserGetPath(cluster, user, path, signal),
      (may) => may,
    ),
  ]);
  if (answered.state !== 'seen') return answered;
  return { state: 'seen', value: { ...answered.value, user, allowed: allowed.state === 'seen' ? allowed.value : undefined } };
}

async function impersonated(looking: Looking, user: string, path: string): Promise<Observed<HttpView>> {
  const { cluster, signal } = looking;
  try {
    const answer = await cluster.request({ path, signal, as: user, timeoutMs: patienceMs, keepBytes: errorLimit });
    const { message } = readStatus(answer);
    // k8s.io/apiserver/pkg/endpoints/filters/impersonation: the attempt itself is refused, before anybody asks what the user may do.
    if (answer.status === 403 && / cannot impersonate/.test(message)) {
      throw refusal(cluster, { verb: 'impersonate', ref: identityRef(user) }, answer, new Date());
    }
    return { state: 'seen', value: viewAnswer(path, answer, errorLimit) };
  } catch (error) {
    return unanswered(looking, error);
  }
}

/** What a rule about impersonation names. */
function identityRef(user: string): ObjectRef {
  const [, namespace, name] = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(user) ?? [];
  return name === undefined
    ? { resource: resources.User, namespace: undefined, name: user }
    : { resource: resources.ServiceAccount, namespace, name };
}
