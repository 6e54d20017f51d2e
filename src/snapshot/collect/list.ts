import { mayI } from '../../cluster/access.ts';
import { needOf, parseResourceList } from '../api-resources.ts';
import { seen, skipped } from '../observed.ts';
import type { ApiSnapshot, HttpView, Observed, SnapshotOptions } from '../types.ts';
import type { CollectContext } from './context.ts';
import { answerAs, type CheckedUser, getForwarded, withoutObjects } from './requests.ts';

type Lists = Pick<ApiSnapshot, 'list' | 'listAsUser' | 'probed'>;

export interface ListRequest {
  /** `/apis/<group>/<version>` */
  readonly root: string;
  /** The answer to a GET of `root`. */
  readonly discovery: Promise<Observed<HttpView>>;
  readonly probe: SnapshotOptions['probe'];
  /** A user to send the same request as. */
  readonly user: CheckedUser | undefined;
}

/**
 * Requests one list of an API, as clients do: discovery may work while lists fail.
 * @throws the reason of the signal
 */
export async function collectList(context: CollectContext, request: ListRequest): Promise<Lists> {
  const { user, root, probe } = request;
  const own = ownPath(root, probe);
  const paths = own === undefined ? await pathsToList(request) : [own];
  const [first] = paths;
  if (first === undefined) {
    const nothing = skipped(request.probe === 'none' ? '--no-probe is set' : 'the API has no resource that can be listed');
    return { list: nothing, listAsUser: nothing };
  }
  const { path, list } = await getAllowed(context, first, paths.slice(1, 1 + otherLimit));
  const listAsUser = await answerAs(context, user, path, Promise.resolve(list));
  const isRefused = user?.current && list.state === 'unseen' && list.reason === 'forbidden' && listAsUser.state === 'seen';
  return { list: isRefused ? skipped('the user of --as is refused') : list, listAsUser, ...(own === undefined ? {} : { probed: true }) };
}

/** The paths that may be requested, the best first. */
async function pathsToList({ root, discovery, probe }: ListRequest): Promise<readonly string[]> {
  if (probe === 'none') return [];
  const document = seen(await discovery);
  const names = document?.status === 200 ? (parseResourceList(document.body)?.listed ?? []) : [];
  return names.map((name) => `${root}/${name}?limit=1`);
}

/** The path of --probe for the API with this root. */
const ownPath = (root: string, probe: ListRequest['probe'] = []): string | undefined =>
  probe === 'none' ? undefined : probe.find((path) => isBelow(path, root));

/** Whether a path of --probe belongs to the API with this root. */
export const isBelow = (path: string, root: string): boolean => path.startsWith(`${root}/`);

/** How many other resources are tried where RBAC forbids to list the first one. */
const otherLimit = 8;

/** Requests the first list, or another one if RBAC allows only that. */
async function getAllowed(context: CollectContext, first: string, others: readonly string[]) {
  const list = await getList(context, first);
  if (list.state !== 'unseen' || list.reason !== 'forbidden') return { path: first, list };
  const allowed = await Promise.all(others.map(async (path) => ({ path, may: await mayList(context, path) })));
  const other = allowed.find(({ may }) => may);
  return other ? { path: other.path, list: await getList(context, other.path) } : { path: first, list };
}

async function getList(context: CollectContext, path: string) {
  const list = await getForwarded(context, path);
  return list.state === 'seen' ? { ...list, value: withoutObjects(list.value) } : list;
}

async function mayList({ cluster, signal }: CollectContext, path: string): Promise<boolean> {
  const need = needOf(path);
  return need !== undefined && mayI(cluster, need.verb, need.ref, signal);
}
