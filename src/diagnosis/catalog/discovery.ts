import type { CatalogEntry } from './entry.ts';
import { anyAnswerFault, anyIdentityFault, anyTransportFault } from './symptoms.ts';

/** The discovery documents of the API. */
export const discoveryEntries = {
  'discovery/not-found': {
    severity: 'error',
    hop: 'endpoint',
    title: 'The extension API server does not serve {group}/{version} (404)',
    cause: 'The APIService registers a group or version that the extension API server does not serve.',
    fix: 'Compare spec.group and spec.version of the APIService with the groups and versions that the extension API server lists at /apis. Then correct the APIService, or configure the extension API server to serve {group}/{version}.',
    explainedBy: ['endpoints/answers-differ'],
  },
  'discovery/not-a-resource-list': {
    severity: 'error',
    hop: 'endpoint',
    title: 'The discovery document of {group}/{version} is not an APIResourceList',
    cause:
      'A different server responds at the address of the Service, or the extension API server has a bug. Clients cannot discover the resources.',
    fix: 'Read the discovery document: `kubectl get --raw /apis/{group}/{version}`. If it comes from a different server, correct spec.service of the APIService.',
  },
  'discovery/wrong-group-version': {
    severity: 'error',
    hop: 'endpoint',
    title: 'The discovery document is for {served}, not for {group}/{version}',
    cause: 'spec.service of the APIService names the Service of a server that serves a different group or version.',
    fix: 'Set spec.service of the APIService to the Service of the server for {group}/{version}. If spec.service is already correct, configure the server to serve {group}/{version}.',
  },
  'discovery/no-resources': {
    severity: 'error',
    hop: 'endpoint',
    title: '{group}/{version} has no resources',
    cause: 'The extension API server installs the group without any resource, or its --runtime-config disables all resources of the group.',
    fix: 'Check --runtime-config of the extension API server, and the resources that its code installs. Then check the discovery document again: `kubectl get --raw /apis/{group}/{version}`',
  },
  'discovery/no-metrics': {
    severity: 'warning',
    hop: 'endpoint',
    title: 'The metrics adapter serves no metrics in {group}/{version}',
    cause:
      'The list of metrics is empty. Either the adapter cannot reach its metrics store, such as Prometheus, or no rule in its configuration matches an existing metric.',
    fix: 'Read the log of the adapter: `kubectl -n {namespace} logs service/{service}`. Check the URL of the metrics store (for prometheus-adapter, --prometheus-url) and the rules in the configuration. Then list the metrics again: `kubectl get --raw /apis/{group}/{version}`',
  },
  'discovery/list-failed': {
    severity: 'error',
    hop: 'endpoint',
    title: 'Failed to list {resource} of {group}/{version} ({status})',
    cause:
      'Discovery works, but the extension API server responds with an error when clients list objects. It probably cannot reach its backend, such as etcd or a metrics store. The response body contains the reason.',
    fix: 'Read the response body, then the log of the extension API server: `kubectl -n {namespace} logs service/{service}`. Then request the list again: `kubectl get --raw {path}`',
    explainedBy: [...anyAnswerFault, 'discovery/request-failed', 'control-plane/*'],
  },
  'discovery/probe-failed': {
    severity: 'error',
    hop: 'endpoint',
    title: 'GET {path} failed ({status})',
    cause: 'The path in --probe does not exist, or the extension API server rejects the request. The response body contains the reason.',
    fix: 'Check the resource, the namespace and the name in the --probe path. To list the resources of the API: `kubectl get --raw /apis/{group}/{version}`',
    explainedBy: [...anyAnswerFault, 'discovery/request-failed', 'control-plane/*'],
  },
  'discovery/request-failed': {
    severity: 'error',
    hop: 'endpoint',
    title: 'GET /apis/{group}/{version} through kube-apiserver failed ({status})',
    cause: 'The extension API server did not respond to kube-apiserver, or responded with an error. The response body contains the reason.',
    fix: 'Read the response body, then the log of the extension API server: `kubectl -n {namespace} logs service/{service}`',
    explainedBy: [...anyAnswerFault, 'control-plane/*'],
  },
  'discovery/slow': {
    severity: 'error',
    hop: 'endpoint',
    title: 'The extension API server takes more than 5 seconds to respond',
    cause: 'The TLS handshake succeeds, but the response takes too long. The extension API server is overloaded, or waits for a backend.',
    fix: 'Read the log of the extension API server. Check its CPU limit, and its backends, for example etcd or a metrics store.',
  },
  'discovery/no-answer': {
    severity: 'error',
    hop: 'endpoint',
    title: 'kube-apiserver gets no response from {group}/{version}',
    cause:
      'The network drops packets from kube-apiserver to the pods, or the extension API server does not respond. apisvc cannot tell which.',
    fix: 'Read the log of the server: `kubectl -n {namespace} logs service/{service}`. A server built with k8s.io/apiserver logs requests with --v=3. If the log then shows no requests, allow traffic from the control plane to the port of the pods.',
    explainedBy: [...anyTransportFault],
  },
  'discovery/stalled': {
    severity: 'error',
    hop: 'endpoint',
    title: 'The extension API server starts a response for {group}/{version}, but does not finish it',
    cause: 'The server sends the headers, then waits. Clients wait until they time out.',
    fix: 'Read the log of the server: `kubectl -n {namespace} logs service/{service}`. Check its backends, for example etcd or a metrics store.',
  },
  'discovery/cut-off': {
    severity: 'error',
    hop: 'endpoint',
    title: 'The connection closes before the response of {group}/{version} is complete',
    cause:
      'The server, or a proxy in front of it, closes the connection while it sends the response. Clients get an error or a truncated document.',
    fix: 'Read the log of the server: `kubectl -n {namespace} logs service/{service}`. Check whether its container restarts, and check its memory limit.',
  },
  'discovery/redirected': {
    severity: 'error',
    hop: 'endpoint',
    title: 'The extension API server redirects requests ({status})',
    cause:
      'kube-apiserver does not follow redirects, and treats them as errors. A different server, such as a web server with a login page, probably responds at the address of the Service.',
    fix: 'Check which pods Service {namespace}/{service} selects. If they are the right pods, configure the extension API server to serve /apis/{group}/{version} without a redirect.',
  },
  'discovery/server-error': {
    severity: 'error',
    hop: 'endpoint',
    title: 'The extension API server responds with an error ({status})',
    cause:
      "The extension API server responds to kube-apiserver's discovery request with an error, although kube-apiserver sends the request with the group system:masters.",
    fix: 'Read the log of the extension API server: `kubectl -n {namespace} logs service/{service}`',
    explainedBy: ['auth/delegator-missing', 'endpoints/answers-differ'],
  },
  'discovery/not-in-group': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'Discovery does not list version {version} of group {group}',
    cause: 'Clients find the versions of a group through discovery, so clients cannot find {group}/{version}.',
    fix: 'Wait a few seconds after the registration, then check again: `kubectl get --raw /apis/{group}`',
    explainedBy: [...anyTransportFault, ...anyIdentityFault],
  },
  'discovery/not-listed': {
    severity: 'warning',
    hop: 'kube-apiserver',
    title: 'kubectl cannot find the resources of {group}/{version}, although the API works',
    cause:
      'kubectl reads the aggregated discovery document from kube-apiserver. For this document, kube-apiserver requests /apis or /apis/{group}/{version} from the extension API server every minute. It sends this request as user system:kube-aggregator, without groups, and does not get a valid response.',
    fix: 'Configure the authorization of the extension API server to allow user system:kube-aggregator to get /apis/{group}/{version}. A server built with k8s.io/apiserver logs denied requests with --v=4: `kubectl -n {namespace} logs service/{service}`',
    explainedBy: ['discovery/not-in-group'],
  },
  'discovery/openapi-missing': {
    severity: 'warning',
    hop: 'endpoint',
    title: '{group}/{version} has no OpenAPI schema',
    cause:
      'The extension API server serves neither /openapi/v3 nor /openapi/v2. Without a schema, kubectl cannot explain or validate the resources.',
    fix: 'In the code of the extension API server, set OpenAPIV3Config of genericapiserver.Config. If all resources are read-only, you can ignore this warning.',
    // A server that does not answer the discovery requests of kube-apiserver does not answer those
    // for OpenAPI either.
    explainedBy: ['discovery/not-listed'],
  },
} as const satisfies Readonly<Record<string, CatalogEntry>>;
