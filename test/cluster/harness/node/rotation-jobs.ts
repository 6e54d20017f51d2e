import { readFileSync } from 'node:fs';
import { expect, vi } from 'vitest';
import { type Document, parseDocument } from 'yaml';
import { processesWith } from '../processes.ts';
import { getObject, kubectlOk } from '../projects.ts';

/** Jobs of the CronJob of `render --cronjob`, in the namespace of a project. */

// biome-ignore lint/suspicious/noExplicitAny: JSON of a Job, and of its pods.
type Json = any;

/** What a pod of a Job ended with. */
export interface Ended {
  readonly exitCode: number;
  readonly output: string;
}

/** Changes the specification of a pod. */
export type EditPod = (pod: Json) => void;

/** Starts a Job, as the pages do. */
export async function startJob(namespace: string, job: string, edit: EditPod = () => {}): Promise<void> {
  const create = ['create', 'job', job, '-n', namespace, `--from=cronjob/${namespace}-rotate`, '--dry-run=client', '-o', 'json'];
  const object = JSON.parse(await kubectlOk(create));
  edit(object.spec.template.spec);
  await kubectlOk(['create', '-f', '-'], object);
}

/** The pods of a Job, the oldest first. */
export async function podsOf(namespace: string, job: string): Promise<readonly Json[]> {
  const selector = `batch.kubernetes.io/job-name=${job}`;
  const { items } = JSON.parse(await kubectlOk(['get', 'pods', '-n', namespace, '-l', selector, '-o', 'json']));
  const created = ({ metadata }: Json): number => Date.parse(metadata.creationTimestamp);
  return items.toSorted((one: Json, other: Json) => created(one) - created(other));
}

/** Waits until a Job has ended. @returns its condition, and what each of its pods ended with */
export async function endOf(namespace: string, job: string) {
  const ended = async (): Promise<string> => {
    const { status } = JSON.parse(await kubectlOk(['get', 'job', job, '-n', namespace, '-o', 'json']));
    const types = (status.conditions ?? []).map(({ type }: Json) => type);
    const end = types.find((type: string) => ['Complete', 'Failed'].includes(type));
    expect({ job, types, end }).toMatchObject({ end: expect.any(String) });
    return end;
  };
  const condition = await vi.waitFor(ended, { timeout: 240_000, interval: 500 });
  const pods: Ended[] = [];
  for (const { metadata, status } of await podsOf(namespace, job)) {
    const exitCode = status.containerStatuses?.[0]?.state?.terminated?.exitCode;
    pods.push({ exitCode, output: await kubectlOk(['logs', metadata.name, '-n', namespace]) });
  }
  return { condition, pods };
}

/** Waits until the newest pod of a Job has printed something. @returns the name of the pod */
export const untilPrinted = (namespace: string, job: string, pattern: RegExp): Promise<string> =>
  vi.waitFor(
    async () => {
      const running = (await podsOf(namespace, job)).filter(({ metadata }) => metadata.deletionTimestamp === undefined);
      const name = running.at(-1)?.metadata.name ?? 'no-pod';
      expect(await kubectlOk(['logs', name, '-n', namespace])).toMatch(pattern);
      return name;
    },
    { timeout: 120_000, interval: 300 },
  );

/** Kills the process in a pod, as a machine without memory does. */
export function killIn(pod: string): void {
  const isIn = (pid: number): boolean => readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(`HOSTNAME=${pod}`);
  const pids = processesWith('--if-expires-within=30d').filter(isIn);
  expect({ pod, pids }).toEqual({ pod, pids: [expect.any(Number)] });
  for (const pid of pids) process.kill(pid, 'SIGKILL');
}

/**
 * Creates a ConfigMap with an apisvc.yaml that differs from that of the project.
 * @param edit undefined for a ConfigMap without apisvc.yaml
 * @returns what makes a Job use it
 */
export async function withConfiguration(namespace: string, configMap: string, edit?: (document: Document) => void): Promise<EditPod> {
  const found: Json = await getObject('configmap', '-n', namespace, `${namespace}-rotate`);
  const document = parseDocument(found.data['apisvc.yaml']);
  edit?.(document);
  const data = edit ? { 'apisvc.yaml': document.toString() } : {};
  await kubectlOk(['apply', '-f', '-'], { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: configMap, namespace }, data });
  return (pod) => {
    pod.volumes.find(({ name }: Json) => name === 'project').configMap.name = configMap;
  };
}

const group = 'rbac.authorization.k8s.io';

/**
 * Creates the ServiceAccount `limited` with the permissions of the CronJob but those for one
 * resource.
 * @returns what makes a Job use it
 */
export async function withoutRight(namespace: string, resource: string): Promise<EditPod> {
  const name = 'limited';
  const [own, metadata] = [`${namespace}-rotate`, { name, namespace }];
  const role: Json = await getObject('role', '-n', namespace, own);
  const rules = role.rules.filter(({ resources }: Json) => !resources.includes(resource));
  const binding = (of: string, ref: { readonly kind: string; readonly name: string }, where: object) => ({
    ...{ apiVersion: `${group}/v1`, kind: of, metadata: where, roleRef: { apiGroup: group, ...ref } },
    subjects: [{ kind: 'ServiceAccount', ...metadata }],
  });
  const items = [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
    { apiVersion: `${group}/v1`, kind: 'Role', metadata, rules },
    binding('RoleBinding', { kind: 'Role', name }, metadata),
    binding('ClusterRoleBinding', { kind: 'ClusterRole', name: `${namespace}:${own}` }, { name: `${namespace}:${name}` }),
  ];
  await kubectlOk(['apply', '-f', '-'], { apiVersion: 'v1', kind: 'List', items });
  return (pod) => {
    pod.serviceAccountName = name;
  };
}
