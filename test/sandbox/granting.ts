import { expect } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { Cluster } from '../../src/cluster/cluster.ts';
import { refOf } from '../../src/cluster/objects.ts';
import { resourcePath } from '../../src/cluster/resources.ts';
import type { Json } from './installed.ts';

const { signal } = new AbortController();

/**
 * Does what the command `kubectl auth reconcile` in an error does: adds rules to roles.
 * @returns what was granted: `get secrets x`
 */
export async function grant(cluster: Cluster, stderr: string): Promise<readonly string[]> {
  const [, , yaml = ''] = /\n(kubectl [^\n]*auth reconcile -f - <<'EOF')\n(.*)\nEOF\n/s.exec(stderr) ?? [];
  const objects = parseAllDocuments(yaml).map((document) => document.toJS());
  expect({ stderr, count: objects.length }).not.toMatchObject({ count: 0 });
  for (const object of objects) await reconcile(cluster, object);
  return objects.flatMap(({ rules = [] }: Json) => rules.flatMap(describeRule));
}

const describeRule = ({ resources, resourceNames = [], verbs }: Json): string[] =>
  verbs.map((verb: string) => [verb, ...resources, ...resourceNames].join(' '));

async function reconcile(cluster: Cluster, object: Json): Promise<void> {
  const { resource, namespace, name } = refOf(object);
  const created = await cluster.request({ method: 'POST', path: resourcePath(resource, namespace), body: object, signal });
  if (created.status === 201) return;
  expect(created).toMatchObject({ status: 409 });
  if (object.rules === undefined) return;
  const path = resourcePath(resource, namespace, name);
  const found = JSON.parse((await cluster.request({ path, signal })).body);
  const body = { rules: [...found.rules, ...object.rules] };
  const contentType = 'application/merge-patch+json';
  expect(await cluster.request({ method: 'PATCH', path, contentType, body, signal })).toMatchObject({ status: 200 });
}

/** Grants a rule without a namespace to a user. */
export async function grantRule(cluster: Cluster, user: string, rule: object): Promise<void> {
  const rbac = 'rbac.authorization.k8s.io';
  const metadata = { name: `also:${user}` };
  await reconcile(cluster, { apiVersion: `${rbac}/v1`, kind: 'ClusterRole', metadata, rules: [rule] });
  await reconcile(cluster, {
    apiVersion: `${rbac}/v1`,
    kind: 'ClusterRoleBinding',
    metadata,
    roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: metadata.name },
    subjects: [{ apiGroup: rbac, kind: 'User', name: user }],
  });
}
