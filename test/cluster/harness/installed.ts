/**
 * The parts of metrics-server's release manifests that apisvc changes or reads.
 * @param replicas of the Deployment; undefined is the default
 */
export const installedMetricsServer = (namespace: string, replicas?: number, ...more: readonly string[]) => {
  const metadata = { name: 'metrics-server', namespace, labels: { 'k8s-app': 'metrics-server' } };
  const args = [
    '--cert-dir=/tmp',
    '--secure-port=10250',
    '--kubelet-preferred-address-types=InternalIP,ExternalIP,Hostname',
    '--kubelet-use-node-status-port',
    '--metric-resolution=15s',
    ...more,
  ];
  const container = {
    name: 'metrics-server',
    image: 'registry.k8s.io/metrics-server/metrics-server:v0.9.0',
    args,
    ports: [{ name: 'https', containerPort: 10250, protocol: 'TCP' }],
    volumeMounts: [{ name: 'tmp-dir', mountPath: '/tmp' }],
  };
  const selector = { 'k8s-app': 'metrics-server' };
  const pod = { containers: [container], volumes: [{ name: 'tmp-dir', emptyDir: {} }] };
  const ports = [{ name: 'https', port: 443, protocol: 'TCP', targetPort: 'https', appProtocol: 'https' }];
  const items = [
    { apiVersion: 'v1', kind: 'Service', metadata, spec: { selector, ports } },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata,
      spec: { replicas, selector: { matchLabels: selector }, template: { metadata: { labels: selector }, spec: pod } },
    },
    {
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name: 'v1beta1.metrics.k8s.io', labels: metadata.labels },
      spec: {
        service: { name: 'metrics-server', namespace },
        group: 'metrics.k8s.io',
        version: 'v1beta1',
        insecureSkipTLSVerify: true,
        groupPriorityMinimum: 100,
        versionPriority: 100,
      },
    },
  ];
  return { apiVersion: 'v1', kind: 'List', items };
};
