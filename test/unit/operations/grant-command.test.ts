import { expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { type ObjectRef, resources, subresources } from '../../../src/cluster/resources.ts';
import { grantCommand } from '../../../src/operations/grant-command.ts';

const inNamespace = (resource: ObjectRef['resource'], name: string): ObjectRef => ({ resource, namespace: 'wardle', name });

/** The objects between the first and the last line of the command. */
function objectsOf(command: string) {
  const lines = command.split('\n');
  expect([lines[0], lines.at(-1)]).toEqual(["kubectl auth reconcile -f - <<'EOF'", 'EOF']);
  return parseAllDocuments(lines.slice(1, -1).join('\n')).map((document) => {
    expect(document.errors).toEqual([]);
    return document.toJS();
  });
}

test('a rule names only objects that keep their names', () => {
  const needs = [
    { verb: 'get', ref: inNamespace(resources.Secret, 'api-tls') },
    { verb: 'create', ref: inNamespace(resources.Secret, 'api-tls') },
    { verb: 'get', ref: inNamespace(resources.EndpointSlice, 'api-external') },
    { verb: 'get', ref: inNamespace(resources.ReplicaSet, 'api-5d9c') },
    { verb: 'get', ref: inNamespace(subresources.podPortForward, 'api-5d9c-x2') },
    { verb: 'patch', ref: inNamespace(resources.Deployment, '*') },
  ];
  const [role, binding, ...others] = objectsOf(grantCommand('jane', needs));
  expect(role).toMatchObject({ kind: 'Role', metadata: { name: 'apisvc:jane', namespace: 'wardle' } });
  expect(role.rules).toEqual([
    { apiGroups: [''], resources: ['secrets'], resourceNames: ['api-tls'], verbs: ['get'] },
    { apiGroups: [''], resources: ['secrets'], verbs: ['create'] },
    { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], resourceNames: ['api-external'], verbs: ['get'] },
    { apiGroups: ['apps'], resources: ['replicasets'], verbs: ['get'] },
    { apiGroups: [''], resources: ['pods/portforward'], verbs: ['get'] },
    { apiGroups: ['apps'], resources: ['deployments'], verbs: ['patch'] },
  ]);
  expect(binding).toMatchObject({ kind: 'RoleBinding', roleRef: { kind: 'Role', name: 'apisvc:jane' } });
  expect(others).toEqual([]);
});

test('what no namespace limits needs a ClusterRole', () => {
  const all = { resource: resources.Secret, namespace: undefined, name: '*' };
  const [role, binding] = objectsOf(grantCommand('jane', [{ verb: 'list', ref: all }]));
  expect([role.kind, role.metadata, binding.kind]).toEqual(['ClusterRole', { name: 'apisvc:jane' }, 'ClusterRoleBinding']);
});

test.each([
  ['system:serviceaccount:ci:deployer', 'apisvc:system:serviceaccount:ci:deployer'],
  ['https://issuer.example.com#jane', 'apisvc:https:--issuer.example.com#jane'],
  ['EOF\n"quoted"', 'apisvc:EOF\n"quoted"'],
])('a user may have the name %j', (user, name) => {
  const [role, binding] = objectsOf(grantCommand(user, [{ verb: 'get', ref: inNamespace(resources.Service, 'api') }]));
  expect(role.metadata.name).toBe(name);
  expect(binding.subjects).toEqual([{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }]);
});
