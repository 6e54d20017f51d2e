import { mkdtempSync, rmSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { controlPlaneFiles, writeControlPlaneFiles } from '../../../../src/sandbox/shared/credentials.ts';
import type { KubernetesImitated } from '../../../../src/sandbox/shared/engine.ts';
import { ApiFailure } from '../../../../src/sandbox/shared/failure.ts';
import type { UserInfo } from '../../../../src/sandbox/shared/identity.ts';
import type { RequestInfo } from '../../../../src/sandbox/shared/request-info.ts';
import { apiVersionOf, kindOf } from '../../../../src/sandbox/simulated/kinds.ts';
import { createStore } from '../../../../src/sandbox/simulated/store.ts';
import type { Call, Kind, Obj, Simulation, Store } from '../../../../src/sandbox/simulated/types.ts';

/**
 * A simulation with credentials and an empty store, without a server. A test moves its clock.
 */
export async function makeSimulation(kubernetes: KubernetesImitated = '1.37') {
  const folder = mkdtempSync(join(tmpdir(), 'apisvc-simulation-'));
  const files = controlPlaneFiles(folder);
  await writeControlPlaneFiles(files, ['localhost', '127.0.0.1'], new Date());
  const ending = new AbortController();
  const clock = { now: new Date() };
  const now = () => clock.now;
  const kubelet = () => {};
  const simulation: Simulation = { store: createStore(now), kubernetes, files, kubelet, now, signal: ending.signal };
  const end = () => {
    ending.abort();
    rmSync(folder, { recursive: true, force: true });
  };
  return { simulation, clock, end };
}

const groups: Readonly<Record<string, string>> = {
  ClusterRole: 'rbac.authorization.k8s.io',
  ClusterRoleBinding: 'rbac.authorization.k8s.io',
  Role: 'rbac.authorization.k8s.io',
  RoleBinding: 'rbac.authorization.k8s.io',
};

/** @param at - `name` or `namespace/name` */
export function put(store: Store, kindName: string, at: string, content: Obj = {}): Obj {
  const kind = kindOf(groups[kindName] ?? '', kindName) as Kind;
  const [name, namespace] = at.split('/').reverse();
  const metadata = { name, ...(namespace === undefined ? {} : { namespace }), ...content.metadata };
  return store.create(kind, { kind: kindName, apiVersion: apiVersionOf(kind), ...content, metadata });
}

/**
 * A binding.
 * @param role - `ClusterRole/name` or `Role/name`
 * @param subjects - `User/jane`, `Group/devs`, `ServiceAccount/namespace/name`
 */
export function bind(store: Store, kindName: string, at: string, role: string, ...subjects: string[]): Obj {
  const [kind, name] = role.split('/');
  return put(store, kindName, at, {
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name },
    subjects: subjects.map((subject) => {
      const [sort, ...path] = subject.split('/');
      const [last, namespace] = path.reverse();
      return { kind: sort, name: last, ...(namespace === undefined ? {} : { namespace }) };
    }),
  });
}

export const jane: UserInfo = { name: 'jane', groups: ['devs', 'system:authenticated'], extra: {} };
export const admin: UserInfo = { name: 'admin', groups: ['system:masters', 'system:authenticated'], extra: {} };

const nothing = { path: '', isResource: true, group: '', version: 'v1', resource: '', subresource: '', namespace: '', name: '' };
export const toResource = (verb: string, resource: string, more: Partial<RequestInfo> = {}): RequestInfo => ({
  ...nothing,
  verb,
  resource,
  ...more,
});
export const toPath = (verb: string, path: string): RequestInfo => ({ ...nothing, verb, path, isResource: false, version: '' });

/**
 * A request with these headers only.
 * @param lines - header lines in their order; a name may come more than once
 */
export function withHeaders(...lines: readonly (readonly [name: string, value: string])[]): IncomingMessage {
  const headersDistinct: Record<string, string[]> = {};
  for (const [name, value] of lines) headersDistinct[name.toLowerCase()] = [...(headersDistinct[name.toLowerCase()] ?? []), value];
  const headers = Object.fromEntries(Object.entries(headersDistinct).map(([name, values]) => [name, values.join(', ')]));
  return { headers, headersDistinct } as unknown as IncomingMessage;
}

/** A call with what reviews read. */
export const callOf = (user: UserInfo, info: Partial<RequestInfo> = {}): Call =>
  ({
    user,
    info: toResource('create', '', info),
    url: new URL('https://localhost/'),
    request: withHeaders(['User-Agent', 'kubectl/v1.37.2']),
  }) as Call;

/** The failure that a function throws. */
export function failureOf(act: () => unknown): { readonly code: number; readonly message: string; readonly details?: unknown } {
  try {
    act();
  } catch (error) {
    if (!(error instanceof ApiFailure)) throw error;
    const { code, message, details } = error;
    return { code, message, details };
  }
  throw new Error('nothing failed');
}
