import type { Cluster } from '../../cluster/cluster.ts';
import { resources } from '../../cluster/resources.ts';
import { forbidden } from '../shared/failure.ts';
import type { UserInfo } from '../shared/identity.ts';
import type { RequestInfo } from '../shared/request-info.ts';
import { remembering } from './remembering.ts';
import { review } from './review.ts';

interface AccessReviewStatus {
  readonly allowed?: boolean;
  readonly denied?: boolean;
  readonly reason?: string;
}

/** Probes of kubelets come without credentials (k8s.io/apiserver/pkg/server/options/authorization.go, AlwaysAllowPaths). */
const openPaths: ReadonlySet<string> = new Set(['/healthz', '/livez', '/readyz']);
/** May do everything by the rules of kube-apiserver, which need not be asked then (AlwaysAllowGroups). */
const masters = 'system:masters';

/**
 * Lets a request pass, or not, as kube-apiserver decides: RBAC of the cluster counts for this API as for any other.
 * @throws ApiFailure 403; Error when kube-apiserver does not decide
 */
export function createAuthorizer(cluster: Cluster, signal: AbortSignal): (user: UserInfo, info: RequestInfo) => Promise<void> {
  const ask = remembering((spec) => review<AccessReviewStatus>(cluster, resources.SubjectAccessReview, JSON.parse(spec), signal));
  return async (user, info) => {
    if (openPaths.has(info.path) || user.groups.includes(masters)) return;
    const { allowed = false, denied = false, reason = '' } = await ask(JSON.stringify({ ...subject(user), ...attributes(info) }));
    if (!allowed || denied) throw forbidden(user, info, reason);
  };
}

const subject = ({ name, uid, groups, extra }: UserInfo) => ({ user: name, uid, groups, extra });

function attributes({ isResource, path, verb, group, version, resource, subresource, namespace, name }: RequestInfo) {
  if (!isResource) return { nonResourceAttributes: { path, verb } };
  return { resourceAttributes: { namespace, verb, group, version, resource, subresource, name } };
}
