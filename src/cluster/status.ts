import { type ApisvcError, ClusterError, RefusedError, UsageError } from '../errors.ts';
import { inspect } from '../pki/inspect.ts';
import type { Answer } from './answer.ts';
import type { Cluster } from './cluster.ts';
import { Forbidden, NoCredentials, NotKubeApiserver, NotServed, Unreachable } from './faults.ts';
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
 * Reads the Status from an answer. Proxies and load balancers answer with text, whose first line is
 * the message then, or with a web page.
 */
export function readStatus({ status, body }: Answer): Status {
  const parsed = parseJson(body);
  if (parsed?.kind === 'Status') {
    const { message = '', reason = '', details } = parsed;
    return { message: String(message), reason: String(reason), about: details?.name, causes: details?.causes ?? [] };
  }
  return { message: textMessage(parsed === undefined ? body : '') || `HTTP status ${status}`, reason: '', about: undefined, causes: [] };
}

/** The title or the first words of a web page, or the first line of another text. */
function textMessage(body: string): string {
  const start = body.trim().slice(0, 4_096);
  if (!/^<(!doctype|html|\?xml|head|body)/i.test(start)) return start.split('\n')[0]?.trim().replace(/\.$/, '').slice(0, 300) ?? '';
  const title = /<title[^>]*>([^<]+)/i.exec(start)?.[1] ?? start.replace(/<(style|script)[\s\S]*?<\/\1>|<[^>]*>/gi, ' ');
  const words = title.replace(/\s+/g, ' ').trim().slice(0, 100);
  return words ? `a web page, "${words}"` : 'a web page';
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
 * @param isExpected - whether a JSON object has the fields that kube-apiserver always sends
 * @throws NotKubeApiserver when it is not JSON or has another form
 */
export function readJson<T>({ server, context }: Cluster, { status, body }: Answer, isExpected = (_: Json): boolean => true): T {
  const json = parseJson(body);
  if (isObject(json) && isExpected(json)) return json as T;
  const not = json === undefined ? 'JSON' : 'the requested object';
  throw new NotKubeApiserver(
    `${server} (context "${context}") is not kube-apiserver: HTTP status ${status}, but the response is not ${not}`,
    {
      fix: notKubeApiserver,
    },
  );
}

type Json = Readonly<Record<string, unknown>>;

export const isObject = (json: unknown): json is Json => typeof json === 'object' && json !== null && !Array.isArray(json);

export const hasMetadata = (json: unknown): json is Json => isObject(json) && isObject(json.metadata);

const notKubeApiserver =
  'Check that the server of the cluster in the kubeconfig is the URL of kube-apiserver. A proxy or load balancer may also respond in its place.';

/** The request that failed, for the message. */
export interface Attempt {
  readonly verb: 'get' | 'list' | 'watch' | 'patch' | 'create' | 'update' | 'delete' | 'impersonate';
  readonly ref: ObjectRef;
}

/** Turns a refusal of kube-apiserver into an error with a fix. */
export function refusal(cluster: Cluster, { verb, ref }: Attempt, answer: Answer, now: Date): ApisvcError {
  const status = readStatus(answer);
  const doing = `${verb} ${describeRef(ref)}`;
  if (answer.status === 401) return badCredentials(cluster, now);
  if (isUnserved(ref, answer, status)) {
    return new NotServed(`failed to ${doing}: the cluster does not serve ${ref.resource.apiVersion}`, {
      fix: 'Install cert-manager, or choose another issuer in apisvc.yaml.',
    });
  }
  // kube-apiserver answers 201 to what it creates. A web server answers 200 to every request.
  if (isForeign(answer) || answer.status < 300) return foreignAnswer(cluster, doing, answer);
  if (answer.status === 403) return forbidden(cluster, status, { verb, ref });
  if (answer.status === 404) return new ClusterError(`failed to ${doing}: ${status.message}`);
  // Of a list, only the label selector comes from the user.
  if (answer.status === 400 && verb === 'list') {
    return new UsageError(`invalid label selector: ${status.message}`, {
      fix: 'Use labels as in kubectl get -l, for example: -l app=metrics-server',
    });
  }
  if (answer.status === 400 || answer.status === 422) return new UsageError(`the cluster rejects ${describeRef(ref)}: ${status.message}`);
  if (answer.status === 409) return new RefusedError(`failed to ${doing}: ${status.message}`);
  const ErrorClass = mayPass(answer) ? Unreachable : ClusterError;
  return new ErrorClass(`failed to ${doing}: HTTP status ${answer.status}: ${status.message}`);
}

/**
 * Whether the cluster lacks the kind: of those that apisvc uses, only the kinds of cert-manager may
 * be missing. kube-apiserver answers with the text of net/http, NotFound, where it knows no
 * resource of the group, and else with a Status.
 */
const isUnserved = ({ resource }: ObjectRef, answer: Answer, { message }: Status): boolean =>
  answer.status === 404 &&
  apiGroup(resource) === 'cert-manager.io' &&
  ['404 page not found', 'the server could not find the requested resource'].includes(message);

const mayPass = ({ status }: Answer): boolean => status === 429 || status >= 500;

/**
 * Whether another server than kube-apiserver sends an error: those of kube-apiserver are a Status,
 * except for the path of a group that it does not serve.
 */
export const isForeign = ({ status, body }: Answer): boolean => status !== 200 && parseJson(body)?.kind !== 'Status';

/**
 * The error for an answer of another server than kube-apiserver.
 * @param doing what the request was for: `get /version`
 */
export function foreignAnswer({ server, context }: Cluster, doing: string, answer: Answer): ClusterError {
  const { message } = readStatus(answer);
  const ErrorClass = mayPass(answer) ? Unreachable : ClusterError;
  // net/http, Server: the answer to a request without TLS.
  if (/^Client sent an HTTP request to an HTTPS server/.test(message)) {
    return new ClusterError(`failed to connect to the cluster at ${server} (context "${context}"): ${message}`, {
      fix: `Change http:// to https:// in the server of the cluster in the kubeconfig.`,
    });
  }
  const said = message === `HTTP status ${answer.status}` ? message : `HTTP status ${answer.status}: ${message}`;
  return new ErrorClass(`failed to ${doing}: ${server} (context "${context}") does not respond like kube-apiserver: ${said}`, {
    fix: notKubeApiserver,
  });
}

/** Both RBAC and admission answer 403. An RBAC rule fixes only the first. */
function forbidden(cluster: Cluster, { message, causes }: Status, { verb, ref }: Attempt): ClusterError {
  const refused = `not allowed to ${verb} ${describeRef(ref)}: ${message}`;
  const anonymous = anonymousFix(cluster, message);
  if (anonymous) return new (cluster.user === anonymousUser ? Forbidden : NoCredentials)(refused, { fix: anonymous });
  // k8s.io/apiserver/pkg/admission/plugin/namespace/lifecycle
  if (causes.some(({ reason }) => reason === 'NamespaceTerminating')) {
    return new Forbidden(refused, {
      fix: `Wait until the namespace is gone: kubectl wait --for=delete namespace/${ref.namespace}\nTo see what blocks it: kubectl get namespace ${ref.namespace} -o yaml`,
    });
  }
  // Admission checks only writes, and impersonation precedes it. For the message of RBAC, see
  // k8s.io/apiserver/pkg/endpoints/handlers/responsewriters/errors.go, forbiddenMessage.
  const byRbac = ['get', 'list', 'watch', 'impersonate'].includes(verb) || / cannot \w+ (resource|path) /.test(message);
  return new Forbidden(refused, {
    fix: byRbac
      ? `Grant this RBAC rule: ${rbacRule(ref, verb)}`
      : 'A policy, a quota or an admission webhook denied the request. Change the object, or ask a cluster administrator.',
  });
}

const anonymousUser = 'system:anonymous';

/**
 * The fix for a request that the cluster sees as system:anonymous. Rights for that user would be
 * rights for everybody who reaches the cluster.
 * @param message of the refusal
 * @returns undefined for any other user
 */
export function anonymousFix({ user }: Pick<Cluster, 'user'>, message: string): string | undefined {
  if (!message.includes(`User "${anonymousUser}"`)) return undefined;
  if (user === anonymousUser) return 'system:anonymous is the user of requests without credentials. Set --as to another user.';
  return `The kubeconfig has no valid credentials for user "${user}", so the cluster treats you as system:anonymous. Log in again, or correct the user in the kubeconfig.`;
}

/** A permission: a verb on an object. */
export interface Need {
  readonly verb: string;
  readonly ref: ObjectRef;
  /** Whether the operation can do without it. */
  readonly optional?: true;
}

/** A rule of a Role in a namespace, or of a ClusterRole. */
export interface RbacRule {
  readonly namespace: string | undefined;
  /** One line. */
  readonly yaml: string;
}

/** The smallest RBAC rule that allows verbs on an object, in words and one line of YAML. */
export const rbacRule = (ref: ObjectRef, ...verbs: readonly string[]): string =>
  rbacRules(verbs.map((verb) => ({ verb, ref })))
    .map(({ namespace, yaml }) => `${namespace === undefined ? 'ClusterRole' : `Role in namespace ${namespace}`}: ${yaml}`)
    .join('; ');

/**
 * The smallest RBAC rules that allow all needs, one for each object. `create`, `list` and `watch`
 * cannot be limited to a name.
 */
export const rbacRules = (needs: readonly Need[]): RbacRule[] =>
  verbsBy((need) => JSON.stringify([namespaceOf(need), ruleSubject(need)]), needs).map(([need, verbs]) => ({
    namespace: namespaceOf(need),
    yaml: `{${ruleSubject(need)}, verbs: [${verbs}]}`,
  }));

/**
 * Groups the verbs of needs by subject.
 * @returns the first need of each subject, with all its verbs: `get, patch`
 */
export function verbsBy(subjectOf: (need: Need) => string, needs: readonly Need[]): [first: Need, verbs: string][] {
  const gathered = new Map<string, { readonly first: Need; readonly verbs: Set<string> }>();
  for (const need of needs) {
    const subject = subjectOf(need);
    const entry = gathered.get(subject) ?? { first: need, verbs: new Set() };
    gathered.set(subject, entry);
    entry.verbs.add(need.verb);
  }
  return [...gathered.values()].map(({ first, verbs }) => [first, [...verbs].join(', ')]);
}

/** Without a namespace, all namespaces are meant, which only a ClusterRole can allow. */
const namespaceOf = ({ ref: { resource, namespace } }: Need): string | undefined => (resource.namespaced ? namespace : undefined);

/** Controllers generate these names: a rule for one is useless after the object is replaced. */
const generatedNames: readonly string[] = ['Pod', 'ReplicaSet'];

function ruleSubject({ verb, ref: { resource, name } }: Need): string {
  const anyName = name === '*' || ['create', 'list', 'watch'].includes(verb) || generatedNames.includes(resource.kind);
  const names = anyName ? '' : `, resourceNames: [${JSON.stringify(name)}]`;
  return `apiGroups: [${JSON.stringify(apiGroup(resource))}], resources: [${resource.plural === '*' ? '"*"' : ruleName(resource)}]${names}`;
}

/**
 * The error for an answer of 401. It says whether the client certificate or the token has expired.
 */
export function badCredentials(cluster: Cluster, now: Date): ClusterError {
  const [certificate] = cluster.clientCertificate === undefined ? [] : inspect(cluster.clientCertificate).certificates;
  const isOver = (time: string | undefined): boolean => time !== undefined && Date.parse(time) < now.getTime();
  const expired = isOver(certificate?.notAfter) && `the client certificate expired on ${certificate?.notAfter}`;
  const why = expired || (isOver(cluster.tokenExpiry) ? `the token expired on ${cluster.tokenExpiry}` : 'Unauthorized');
  return new ClusterError(
    `the cluster at ${cluster.server} rejects the credentials of user "${cluster.user}" (context "${cluster.context}"): ${why}`,
    {
      fix: 'Log in again, or renew the credentials in the kubeconfig.',
    },
  );
}
