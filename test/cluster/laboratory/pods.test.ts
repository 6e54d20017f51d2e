import { execa } from 'execa';
import { enter } from '../../../src/sandbox/real/network.ts';
import { kubectl } from '../harness/commands.ts';
import { cluster } from '../harness/provided.ts';
import { failedWith, passed } from '../harness/registrations.ts';
import { describePods, type PodFault, podOf, readiness } from './pods.ts';

/** Faults of pods on a real node, and of their Service. */

const missingEndpoints = /^False MissingEndpoints/;

const isTrue = (...types: readonly string[]) =>
  types.map((type) => ({ type, status: 'True', lastHeartbeatTime: new Date(), lastTransitionTime: new Date() }));

/**
 * A node that registers and then stops reporting. The node lifecycle controller notices after about
 * 50 seconds. No other pod runs there.
 */
const silentNode = () => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: 'silent' },
  spec: { unschedulable: true },
  status: { conditions: isTrue('Ready') },
});

/** The last status of the pod that its kubelet reports. */
const lastStatus = () => ({
  phase: 'Running',
  podIP: '198.51.100.7',
  podIPs: [{ ip: '198.51.100.7' }],
  startTime: new Date(),
  conditions: isTrue('PodScheduled', 'Initialized', 'ContainersReady', 'Ready'),
  containerStatuses: [
    { name: 'api', ready: true, restartCount: 0, image: 'any', imageID: 'any', state: { running: { startedAt: new Date() } } },
  ],
});

const faults: readonly PodFault[] = [
  {
    name: 'healthy-pod',
    how: 'nothing: the server runs in a pod',
    codes: [],
    condition: passed,
  },
  {
    name: 'unknown-target-port',
    how: 'the targetPort of the Service is a name that no container port has',
    codes: ['service/target-port-unknown'],
    condition: missingEndpoints,
    change: () => ({ service: { ports: [{ port: 443, targetPort: 'no-such-port' }] } }),
  },
  {
    name: 'wrong-target-port',
    how: 'the targetPort of the Service is not the port of the server',
    codes: ['service/wrong-target-port'],
    condition: failedWith('connection refused'),
    change: () => ({ service: { ports: [{ port: 443, targetPort: 9443 }] } }),
  },
  {
    name: 'other-port',
    how: 'spec.service.port of the APIService is a different port of the Service, on which a different server responds',
    codes: ['service/other-port'],
    condition: failedWith('connection refused'),
    change: () => ({
      service: {
        ports: [
          { name: 'metrics', port: 443, targetPort: 9443 },
          { name: 'https', port: 8443, targetPort: 8443 },
        ],
      },
    }),
  },
  {
    name: 'selects-nothing',
    how: 'the selector of the Service matches no pod',
    codes: ['endpoints/none'],
    condition: missingEndpoints,
    change: () => ({ service: { selector: { app: 'elsewhere' } } }),
  },
  {
    name: 'no-node-fits',
    how: 'the pod has a node selector that no node matches',
    codes: ['endpoints/pod-unschedulable'],
    condition: missingEndpoints,
    text: /pod no-node-fits\n.*0\/\d nodes are available: .*didn't match Pod's node affinity\/selector/,
    change: () => ({ spec: { nodeSelector: { disk: 'golden' } } }),
  },
  {
    name: 'no-such-image',
    how: 'the image of the server does not exist',
    codes: ['endpoints/image-pull'],
    condition: missingEndpoints,
    text: /pod no-such-image\n.*ErrImageNeverPull: .*docker\.io\/library\/no-such-image:1/,
    change: () => ({ container: { image: 'docker.io/library/no-such-image:1', imagePullPolicy: 'Never' } }),
  },
  {
    name: 'no-such-volume',
    how: 'the pod mounts a ConfigMap that does not exist',
    codes: ['endpoints/pod-cannot-start'],
    condition: missingEndpoints,
    text: /pod no-such-volume\n.*FailedMount: .*configmap "not-there" not found/,
    change: () => ({
      mounts: [{ name: 'more', mountPath: '/more' }],
      volumes: [{ name: 'more', configMap: { name: 'not-there' } }],
    }),
  },
  {
    name: 'no-such-variable',
    how: 'an environment variable refers to a ConfigMap that does not exist',
    codes: ['endpoints/pod-cannot-start'],
    condition: missingEndpoints,
    text: /pod no-such-variable\n.*CreateContainerConfigError: configmap "not-there" not found/,
    change: () => ({ container: { env: [{ name: 'MORE', valueFrom: { configMapKeyRef: { name: 'not-there', key: 'more' } } }] } }),
  },
  {
    name: 'unknown-flag',
    how: 'the pod starts the server with an unknown flag',
    codes: ['endpoints/pod-crashing'],
    condition: missingEndpoints,
    text: /pod unknown-flag\n.*exit code 1 .*\n.*last log line of api: .*unknown flag: --no-such-flag/,
    change: () => ({ flags: ['--no-such-flag'] }),
  },
  {
    name: 'wrong-probe',
    how: 'the readiness probe requests a path that the server does not serve',
    codes: ['endpoints/pod-not-ready'],
    condition: missingEndpoints,
    text: /pod wrong-probe\n.*Readiness probe failed: .*statuscode: 40[34]\n.*readiness probe of api: HTTPS GET \/no-such-path at port 8443\n.*last log line of api: /,
    change: () => ({ container: { readinessProbe: readiness('/no-such-path') } }),
  },
  {
    name: 'closed-gate',
    how: 'the pod has a readiness gate whose condition no controller sets',
    codes: ['endpoints/readiness-gate'],
    condition: missingEndpoints,
    text: /example\.com\/open/,
    change: () => ({ spec: { readinessGates: [{ conditionType: 'example.com/open' }] } }),
  },
  {
    name: 'cut-off-pod',
    how: 'the network drops packets from kube-apiserver to the pod',
    codes: ['network/timeout'],
    notChecked: ['a request to the API through the service proxy'],
    condition: failedWith('(deadline exceeded|timeout)'),
    change: async () => {
      const [nsenter = '', ...entering] = enter(cluster.network);
      await execa(nsenter, [...entering, 'iptables', '--wait', '-I', 'OUTPUT', '-p', 'tcp', '--dport', '8444', '-j', 'DROP']);
      return {
        // The last rule counts. The kubelet probes from the same host, so the pod has no probe.
        flags: ['--secure-port=8444'],
        container: { readinessProbe: undefined },
        service: { ports: [{ port: 443, targetPort: 8444 }] },
      };
    },
  },
  {
    name: 'held-pod',
    how: 'a second pod was deleted, but has a finalizer',
    codes: ['endpoints/pod-terminating'],
    condition: passed,
    text: /pod held is stuck\n.*still exists, although its grace period ended at/,
    afterCreate: async (name, bench) => {
      const pod = podOf({ name, namespace: bench.namespace }, {}, 'held');
      await bench.kubectl(['create', '-f', '-'], { ...pod, metadata: { ...pod.metadata, finalizers: ['example.com/hold'] } });
      await bench.ready('held');
      await bench.kubectl(['delete', 'pod', 'held', '--wait=false']);
    },
    cleanUp: (namespace) => kubectl(['patch', 'pod', 'held', '-n', namespace, '--type=merge', '--patch={"metadata":{"finalizers":null}}']),
  },
  {
    name: 'dead-node',
    how: 'the kubelet of the node stops posting node status',
    codes: ['endpoints/node-not-ready'],
    condition: missingEndpoints,
    text: /pod dead-node .*\n.*when node silent last reported/,
    change: () => ({ objects: [silentNode()], spec: { nodeName: 'silent' } }),
    afterCreate: (name, bench) =>
      bench.kubectl(['patch', 'pod', name, '--subresource=status', '--patch', JSON.stringify({ status: lastStatus() })]),
    cleanUp: async (namespace) => {
      await kubectl(['delete', 'pod', 'dead-node', '-n', namespace, '--grace-period=0', '--force']);
      await kubectl(['delete', 'node', 'silent']);
    },
  },
];

describePods('pods', faults);
