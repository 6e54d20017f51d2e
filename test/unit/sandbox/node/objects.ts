import { nodeName } from '../../../../src/sandbox/node/api.ts';
import type { ContainerOnNode, Json, PodOnNode } from '../../../../src/sandbox/node/registry.ts';

let uids = 0;
/** Adds the fields that the server sets on creation. */
export const created = (object: Json): Json => ({
  ...object,
  metadata: {
    namespace: 'ns',
    uid: `uid-${++uids}`,
    generation: 1,
    creationTimestamp: new Date(uids * 1000).toISOString(),
    ...object.metadata,
  },
});

export const deploymentOf = (spec: Json = {}, status: Json = {}): Json =>
  created({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'app' },
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: 'app' } },
      template: { metadata: { labels: { app: 'app' } }, spec: { containers: [{ name: 'server', image: 'image:1' }] } },
      ...spec,
    },
    status,
  });

export const readyAt = (time: string): Json => ({
  phase: 'Running',
  podIP: '10.0.0.1',
  conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: time }],
});

export const podOf = (name: string, spec: Json = {}, more: Json = {}): Json =>
  created({
    apiVersion: 'v1',
    kind: 'Pod',
    ...more,
    metadata: { name, labels: { app: 'app' }, ...more.metadata },
    spec: { nodeName, containers: [{ name: 'server', image: 'image:1', ...spec }] },
  });

export const containerOf = (change: Partial<ContainerOnNode> = {}): ContainerOnNode => ({
  name: 'server',
  image: 'image:1',
  runs: true,
  declaredPort: undefined,
  port: undefined,
  state: { kind: 'waiting', reason: 'ContainerCreating' },
  ready: false,
  restarts: 0,
  last: undefined,
  ...change,
});

export const onNode = (object: Json, ...containers: ContainerOnNode[]): PodOnNode => ({ object, containers });
