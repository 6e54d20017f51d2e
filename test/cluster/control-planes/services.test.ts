import { describeControlPlane } from './control-plane.ts';

/** Services that depend on --enable-aggregator-routing. */

describeControlPlane('connections to the cluster IP', { aggregatorRouting: false }, [
  {
    name: 'headless-service',
    how: 'the Service is headless, and kube-apiserver connects to the cluster IP',
    codes: ['service/headless'],
    make: ({ register }) => register('headless-service', { serviceSpec: { clusterIP: 'None' } }),
    evidence: /cannot route to service with ClusterIP "None"/,
  },
  {
    name: 'unknown-external-name',
    how: 'the Service has type ExternalName, and kube-apiserver cannot resolve the name',
    codes: ['service/external-name-unresolved'],
    make: ({ register }) =>
      register('unknown-external-name', { serviceSpec: { type: 'ExternalName', externalName: 'api.invalid' } }, 'slice'),
    notChecked: ['the certificates that the endpoints serve'],
    evidence: /lookup api\.invalid/,
  },
  {
    name: 'no-kube-proxy',
    how: 'no kube-proxy runs on the host of kube-apiserver, which connects to the cluster IP of the Service',
    codes: ['network/cluster-ip-unreachable'],
    make: ({ register }) => register('no-kube-proxy'),
    evidence: /dial tcp 10\.96\.\d+\.\d+:443/,
  },
]);

describeControlPlane('connections to endpoints', {}, [
  {
    name: 'external-name',
    how: 'the Service has type ExternalName, and kube-apiserver connects to endpoints',
    codes: ['service/external-name-unsupported'],
    make: ({ register }) => register('external-name', { serviceSpec: { type: 'ExternalName', externalName: 'api.invalid' } }, 'slice'),
    notChecked: ['the certificates that the endpoints serve'],
    evidence: /unsupported service type "ExternalName"/,
  },
]);
