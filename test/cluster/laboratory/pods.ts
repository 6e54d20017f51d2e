import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Made } from '../../unit/pki/certificates.ts';
import { getJson } from '../harness/administrator.ts';
import type { ServingPair } from '../harness/backends.ts';
import { makeCa, makeLeaf, pair, pem } from '../harness/certificates.ts';
import { kubectl } from '../harness/commands.ts';
import { kubectlOk } from '../harness/projects.ts';
import { apiServiceNameOf, conditions, deleteApiServices, groupOf } from '../harness/registrations.ts';
import { conditionMs, expectFindings, type Fault, type PerVersion, triedFaults, type VerifyOptions, valueFor } from './expect-findings.ts';

/**
 * Faults of registrations whose server runs in a pod: a k8s.io/apiserver for any group
 * (components/any-api).
 */

/** What replaces the valid parts of a registration, or is added to them. */
export interface PodChange {
  /** Replace the flags for the certificate and the key. */
  readonly certificateFlags?: readonly string[];
  /** Additional flags of the server. */
  readonly flags?: readonly string[];
  /** Fields of the container. */
  readonly container?: object;
  /** Additional volume mounts. */
  readonly mounts?: readonly object[];
  /** Fields of the pod spec. */
  readonly spec?: object;
  /** Additional volumes. */
  readonly volumes?: readonly object[];
  /** Fields of the Service spec. */
  readonly service?: object;
  /** Entries of the Secret. */
  readonly secret?: Readonly<Record<string, string>>;
  /** Additional objects in the namespace. */
  readonly objects?: readonly object[];
  readonly without?: readonly ('secret' | 'delegator' | 'reader')[];
}

export interface PodFault extends Fault {
  /** The Available condition of kube-apiserver: status, reason and message. */
  readonly condition: PerVersion<RegExp>;
  /** Matches the title and the evidence of the first finding. */
  readonly text?: RegExp;
  readonly change?: (name: string, bench: PodBench) => PodChange | Promise<PodChange>;
  /** Breaks or completes the registration after it was created. */
  readonly afterCreate?: (name: string, bench: PodBench) => Promise<unknown>;
  /** Deletes what is not in the namespace. */
  readonly cleanUp?: (namespace: string) => Promise<unknown>;
  readonly options?: VerifyOptions;
}

/** Creates the faults of one spec file. */
export interface PodBench {
  readonly namespace: string;
  /** The CA of every caBundle. */
  readonly ca: Made;
  /** A serving certificate for a Service, by default from `ca`. */
  pairFor(service: string, ca?: Made): Promise<ServingPair>;
  /** Waits until a pod is ready. */
  ready(pod: string): Promise<unknown>;
  /** Runs kubectl in the namespace. It must succeed. @returns its output */
  kubectl(args: readonly string[], input?: object): Promise<string>;
}

/** Entries of a Secret of type kubernetes.io/tls. */
export const tlsEntries = ({ certificates, key }: ServingPair): Record<string, string> => ({ 'tls.crt': certificates, 'tls.key': key });

/** The mount path of the Secret. */
export const certificateFolder = '/certificates';

/** Pods and controllers need time. */
const withinMs = 90_000;

/** Creates all faults at once in a separate namespace, and verifies them one by one. */
export function describePods(namespace: string, all: readonly PodFault[]): void {
  const faults = triedFaults(all);
  describe(`${namespace}: one fault gives one finding`, () => {
    const until = (name: string, condition: RegExp) =>
      vi.waitFor(async () => expect((await conditions()).get(apiServiceNameOf(name))).toMatch(condition), {
        timeout: conditionMs,
        interval: 500,
      });

    beforeAll(async () => {
      const bench = await benchOf(namespace);
      const items = (await Promise.all(faults.map((fault) => objectsOf(fault, bench)))).flat();
      await kubectlOk(['create', 'namespace', namespace]);
      await kubectlOk(['create', '-f', '-'], { apiVersion: 'v1', kind: 'List', items });
      await Promise.all(faults.map(({ name, afterCreate }) => afterCreate?.(name, bench)));
    });

    afterAll(async () => {
      for (const { cleanUp } of faults) await cleanUp?.(namespace);
      await deleteApiServices(...faults.map(({ name }) => apiServiceNameOf(name)));
      await kubectl(['delete', 'clusterrolebindings', '-l', `laboratory=${namespace}`]);
      await kubectl(['delete', 'rolebindings', '-n', 'kube-system', '-l', `laboratory=${namespace}`]);
      await kubectl(['delete', 'namespace', namespace, '--wait=false']);
    });

    test.each(faults)('$name: $codes', async (fault) => {
      const condition = valueFor(fault.condition);
      await until(fault.name, condition);
      await expectFindings(fault, apiServiceNameOf(fault.name), { withinMs, condition, text: fault.text, ...fault.options });
    });
  });
}

async function benchOf(namespace: string): Promise<PodBench> {
  const ca = await makeCa(`${namespace} CA`);
  const run: PodBench['kubectl'] = (args, input) => kubectlOk(['--namespace', namespace, ...args], input);
  return {
    namespace,
    ca,
    pairFor: async (service, issuer = ca) => pair(await makeLeaf(`${service}.${namespace}.svc`, issuer)),
    ready: async (pod) => {
      const isReady = expect.objectContaining({ type: 'Ready', status: 'True' });
      const conditionsOf = async () => (await getJson(`/api/v1/namespaces/${namespace}/pods/${pod}`)).status.conditions;
      await vi.waitFor(async () => expect(await conditionsOf()).toContainEqual(isReady), { timeout: conditionMs, interval: 500 });
    },
    kubectl: run,
  };
}

async function objectsOf({ name, change: make }: PodFault, bench: PodBench): Promise<object[]> {
  const { namespace, ca } = bench;
  const change = (await make?.(name, bench)) ?? {};
  const { without = [], objects = [], secret = tlsEntries(await bench.pairFor(name)) } = change;
  const metadata = { name, namespace };
  const trusted = { caBundle: Buffer.from(pem(ca)).toString('base64'), groupPriorityMinimum: 1000, versionPriority: 15 };
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
    ...(without.includes('delegator') ? [] : [delegator(name, namespace)]),
    ...(without.includes('reader') ? [] : [reader(name, namespace)]),
    ...(without.includes('secret') ? [] : [{ apiVersion: 'v1', kind: 'Secret', metadata, stringData: secret }]),
    ...objects,
    podOf(metadata, change),
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      spec: { selector: { app: name }, ports: [{ port: 443, targetPort: 8443 }], ...change.service },
    },
    {
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name: apiServiceNameOf(name) },
      spec: { group: groupOf(name), version: 'v1', service: { ...metadata, port: 443 }, ...trusted },
    },
  ];
}

const servingFlags = [`--tls-cert-file=${certificateFolder}/tls.crt`, `--tls-private-key-file=${certificateFolder}/tls.key`];

/** A pod of a Service, which serves its group. */
export function podOf({ name, namespace }: { readonly name: string; readonly namespace: string }, change: PodChange, podName = name) {
  const { certificateFlags = servingFlags, flags = [], mounts = [], volumes = [] } = change;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: podName, namespace, labels: { app: name } },
    spec: {
      serviceAccountName: name,
      terminationGracePeriodSeconds: 1,
      containers: [
        {
          name: 'api',
          image: 'docker.io/library/any-api:0.37.2',
          args: ['--secure-port=8443', `--group-version=${groupOf(name)}/v1`, ...certificateFlags, ...flags],
          ports: [{ name: 'https', containerPort: 8443 }],
          readinessProbe: readiness('/readyz'),
          volumeMounts: [{ name: 'certificates', mountPath: certificateFolder }, ...mounts],
          ...change.container,
        },
      ],
      volumes: [{ name: 'certificates', secret: { secretName: name } }, ...volumes],
      ...change.spec,
    },
  };
}

/** A readiness probe with a period of one second. */
export const readiness = (path: string) => ({ httpGet: { path, port: 8443, scheme: 'HTTPS' }, periodSeconds: 1, timeoutSeconds: 10 });

const rbac = 'rbac.authorization.k8s.io';

/** The binding that allows the server to create TokenReviews and SubjectAccessReviews. */
const delegator = (name: string, namespace: string) => ({
  apiVersion: `${rbac}/v1`,
  kind: 'ClusterRoleBinding',
  metadata: { name: `${namespace}-${name}`, labels: { laboratory: namespace } },
  roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: 'system:auth-delegator' },
  subjects: [{ kind: 'ServiceAccount', name, namespace }],
});

/** The binding that allows the server to read extension-apiserver-authentication. */
const reader = (name: string, namespace: string) => ({
  apiVersion: `${rbac}/v1`,
  kind: 'RoleBinding',
  metadata: { name: `${namespace}-${name}`, namespace: 'kube-system', labels: { laboratory: namespace } },
  roleRef: { apiGroup: rbac, kind: 'Role', name: 'extension-apiserver-authentication-reader' },
  subjects: [{ kind: 'ServiceAccount', name, namespace }],
});
