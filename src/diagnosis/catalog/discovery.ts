import type { CatalogEntry } from './entry.ts';
import { anyAnswerFault, anyIdentityFault, anyTransportFault } from './symptoms.ts';

/** The discovery documents of the API. */
export const discoveryEntries = {
  'discovery/not-found': {
    severity: 'error',
    hop: 'endpoint',
    title: 'The extension API server does not serve {group}/{version} (404)',
    cause: 'The APIService registers a group or version that the server does not serve.',
    fix: 'Compare spec.group and spec.version of the APIService with what the server serves at /apis.',
  },
  'discovery/not-a-resource-list': {
    severity: 'error',
    hop: 'endpoint',
    title: 'The discovery document of {group}/{version} is not an APIResourceList',
    cause: 'A different server responds at this address, or the server has a bug. Clients cannot discover the resources.',
    fix: '`kubectl get --raw /apis/{group}/{version}`',
  },
  'discovery/wrong-group-version': {
    severity: 'error',
    hop: 'endpoint',
    title: 'The discovery document is for {served}, not for {group}/{version}',
    cause: 'The APIService points at the Service of a server for a different group or version.',
    fix: 'Set spec.service of the APIService to the Service of the server for {group}/{version}. If it is already that Service, configure the server to serve {group}/{version}.',
  },
  'discovery/no-resources': {
    severity: 'error',
    hop: 'endpoint',
    title: '{group}/{version} has no resources',
    cause: 'The server installs the group without storage for any resource, or --runtime-config disables all of them.',
    fix: '`kubectl get --raw /apis/{group}/{version}`',
  },
  'discovery/request-failed': {
    severity: 'error',
    hop: 'endpoint',
    title: 'GET /apis/{group}/{version} through kube-apiserver failed ({status})',
    cause: 'The extension API server did not respond to kube-apiserver, or responded with an error. The response body gives the reason.',
    fix: 'Read the response body, then the log of the extension API server: `kubectl -n {namespace} logs service/{service}`',
    explainedBy: [...anyAnswerFault, 'control-plane/*'],
  },
  'discovery/slow': {
    severity: 'error',
    hop: 'endpoint',
    title: 'The extension API server takes more than 5 seconds to respond',
    cause: 'The TLS handshake succeeds, but discovery times out. The server is overloaded, or waits for a backend.',
    fix: 'Read the log of the server. Check its CPU limit and its backends, for example etcd or a metrics store.',
  },
  'discovery/redirected': {
    severity: 'error',
    hop: 'endpoint',
    title: 'The extension API server redirects requests ({status})',
    cause:
      'kube-apiserver does not follow redirects; it treats them as errors. A web server or a login page probably responds at this address.',
    fix: 'Serve /apis/{group}/{version} without a redirect. Check which pods Service {namespace}/{service} selects.',
  },
  'discovery/server-error': {
    severity: 'error',
    hop: 'endpoint',
    title: 'The extension API server responds with an error ({status})',
    cause: "The server returns an error to kube-apiserver's discovery request, although the request is made with group system:masters.",
    fix: 'Read the log of the server: `kubectl -n {namespace} logs service/{service}`',
    explainedBy: ['auth/delegator-missing'],
  },
  'discovery/not-in-group': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'Discovery does not list version {version} of group {group}',
    cause: 'Clients find the versions of a group through discovery. They cannot find this version.',
    fix: 'Wait a few seconds after the registration, then check again: `kubectl get --raw /apis/{group}`',
    explainedBy: [...anyTransportFault, ...anyIdentityFault],
  },
  'discovery/not-listed': {
    severity: 'warning',
    hop: 'kube-apiserver',
    title: 'kubectl does not find the resources of {group}/{version}, although the API works',
    cause:
      'kubectl reads aggregated discovery. For this document, kube-apiserver requests /apis or /apis/{group}/{version} from the server every minute, as user system:kube-aggregator without groups. It got no valid response (kube-aggregator pkg/apiserver/handler_discovery.go).',
    fix: 'Configure the authorization of the server to allow user system:kube-aggregator to get /apis/{group}/{version}. The log of the server shows denied requests: `kubectl -n {namespace} logs service/{service}`',
    explainedBy: ['discovery/not-in-group'],
  },
  'discovery/openapi-missing': {
    severity: 'warning',
    hop: 'endpoint',
    title: '{group}/{version} has no OpenAPI schema',
    cause: 'The server publishes neither /openapi/v3 nor /openapi/v2. Without a schema, kubectl cannot explain or validate the resources.',
    fix: "Set the server's OpenAPI configuration (genericapiserver.Config.OpenAPIV3Config). If all resources are read-only, ignore this warning.",
    // A server that does not answer the discovery requests of kube-apiserver does not answer those
    // for OpenAPI either.
    explainedBy: ['discovery/not-listed'],
  },
} as const satisfies Readonly<Record<string, CatalogEntry>>;
