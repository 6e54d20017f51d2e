import { type ApisvcError, ClusterError, RefusedError, UsageError } from '../errors.ts';
import { inspect } from '../pki/inspect.ts';
import type { Answer, Cluster } from './cluster.ts';
import { Unreachable } from './faults.ts';
import { apiGroup, describeRef, type ObjectRef, ruleName } from './resources.ts';

/**
 * The parts of a metav1.Status that explain a failure
 * (k8s.io/apimachinery/pkg/apis/meta/v1/types.go).
 */
export interface Status {
  readonly message: string;
  readonly reason: string;
  /** Name of the object; undefined also for a path that is not served. */
  readonly about: string | undefined;
  readonly causes: readonly { readonly reason: string; readonly message: string; readonly field: string }[];
}

/**
 * Reads the Status from an answer. Proxies and load balancers answer with text; its first line is
 * the message then.
 */
export function readStatus({ status, body }: Answer): Status {
  const parsed = parseJson(body);
  if (parsed?.kind === 'Status') {
    const { message = '', reason = '', details } = parsed;
    return { message: String(message), reason: String(reason), about: details?.name, causes: details?.causes ?? [] };
  }
  const firstLine = parsed === undefined ? body.trim().split('\n')[0]?.slice(0, 300) : undefined;
  return { message: firstLine || `HTTP status ${status}`, reason: '', about: undefined, causes: [] };
}

// biome-ignore lint/suspicious/noExplicitAny: whatever the other side says.
function parseJson(text: string): any {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Reads the JSON of a successful answer.
 * @throws ClusterError when it is not JSON, because the server is not kube-apiserver then
 */
export function readJson<T>({ server, context }: Cluster, { status, body }: Answer): T {
  try {
    return JSON.parse(body) as T;
  } catch (cause) {
    throw new ClusterError(`${server} (context "${context}") is not kube-apiserver: HTTP status ${status}, but the response is not JSON`, {
      fix: 'Check that the server in the kubeconfig is the URL of kube-apiserver.',
      cause,
    });
  }
}

/** The request that failed, for the message. */
export interface Attempt {
  readonly verb: 'get' | 'list' | 'watch' | 'patch' | 'create' | 'delete' | 'impersonate';
  readonly ref: ObjectRef;
}

/** Turns a refusal of kube-apiserver into an error with a fix. */
export function refusal(cluster: Cluster, { verb, ref }: Attempt, answer: Answer, now: Date): ApisvcError {
  const status = readStatus(answer);
  const doing = `${verb} ${describeRef(ref)}`;
  if (answer.status === 401) return badCredentials(cluster, now);
  if (answer.status === 403) return forbidden(status, { verb, ref });
  if (answer.status === 404) return new ClusterError(`failed to ${doing}: ${status.message}`);
  if (answer.status === 400 || answer.status === 422) return new UsageError(`the cluster rejects ${describeRef(ref)}: ${status.message}`);
  if (answer.status === 409) return new RefusedError(`failed to ${doing}: ${status.message}`);
  if (answer.status === 429 || answer.status >= 500)
    return new Unreachable(`failed to ${doing}: HTTP status ${answer.status}: ${status.message}`);
  return new ClusterError(`failed to ${doing}: HTTP status ${answer.status}: ${status.message}`);
}

/** Both RBAC and admission answer 403. An RBAC rule fixes only the first. */
function forbidden({ message, causes }: Status, { verb, ref }: Attempt): ClusterError {
  const refused = `not allowed to ${verb} ${describeRef(ref)}: ${message}`;
  // k8s.io/apiserver/pkg/admission/plugin/namespace/lifecycle
  if (causes.some(({ reason }) => reason === 'NamespaceTerminating')) {
    return new ClusterError(refused, {
      fix: `Wait until the namespace is gone: kubectl wait --for=delete namespace/${ref.namespace}\nTo see what blocks it: kubectl get namespace ${ref.namespace} -o yaml`,
    });
  }
  // Admission checks only writes, and impersonation precedes it. For the message of RBAC, see
  // k8s.io/apiserver/pkg/endpoints/handlers/responsewriters/errors.go, forbiddenMessage.
  const byRbac = ['get', 'list', 'watch', 'impersonate'].includes(verb) || / cannot \w+ (resource|path) /.test(message);
  return new ClusterError(refused, {
    fix: byRbac
      ? `Grant this RBAC rule: ${rbacRule(verb, ref)}`
      : 'A policy, a quota or an admission webhook refuses it. Change the object, or ask the cluster administrator.',
  });
}

/** A permission: a verb on an object. */
export interface Need {
  readonly verb: string;
  readonly ref: ObjectRef;
}

/** The smallest RBAC rule that allows a verb on an object, as one line of YAML. */
export const rbacRule = (verb: string, ref: ObjectRef): string => rbacRules([{ verb, ref }]).join('');

/**
 * The smallest RBAC rules that allow all needs, one for each object. `create`, `list` and `watch`
 * cannot be limited to a name.
 */
export const rbacRules = (needs: readonly Need[]): string[] =>
  verbsBy(ruleSubject, needs).map(([subject, verbs]) => `${subject}, verbs: [${verbs}]}`);

/**
 * Groups the verbs of needs by subject.
 * @returns subjects, in the order of their first need, with their verbs: `get, patch`
 */
export function verbsBy(subjectOf: (need: Need) => string, needs: readonly Need[]): [subject: string, verbs: string][] {
  const gathered = new Map<string, Set<string>>();
  for (const need of needs) {
    const subject = subjectOf(need);
    gathered.set(subject, (gathered.get(subject) ?? new Set()).add(need.verb));
  }
  return [...gathered].map(([subject, verbs]) => [subject, [...verbs].join(', ')]);
}

function ruleSubject({ verb, ref: { resource, namespace, name } }: Need): string {
  // A rule for the name of a pod is useless after the pod is replaced.
  const anyName = ['create', 'list', 'watch'].includes(verb) || resource.kind === 'Pod';
  const names = anyName ? '' : `, resourceNames: [${JSON.stringify(name)}]`;
  const where = resource.namespaced ? `Role in namespace ${namespace}` : 'ClusterRole';
  return `${where}: {apiGroups: [${JSON.stringify(apiGroup(resource))}], resources: [${ruleName(resource)}]${names}`;
}

/** The error for an answer of 401. It says whether the client certificate has expired. */
export function badCredentials(cluster: Cluster, now: Date): ClusterError {
  const [certificate] = cluster.clientCertificate === undefined ? [] : inspect(cluster.clientCertificate).certificates;
  const expired = certificate !== undefined && Date.parse(certificate.notAfter) < now.getTime();
  const why = expired ? `the client certificate expired on ${certificate.notAfter}` : 'Unauthorized';
  return new ClusterError(
    `the cluster at ${cluster.server} rejects the credentials of user "${cluster.user}" (context "${cluster.context}"): ${why}`,
    {
      fix: 'Log in again, or renew the credentials in the kubeconfig.',
    },
  );
}
