import type { CatalogEntry } from './entry.ts';
import { anyAnswerFault, anyIdentityFault, anyTransportFault } from './symptoms.ts';

/** What the API answers about itself. */
export const discoveryEntries = {
  'discovery/not-found': {
    severity: 'error',
    hop: 'endpoint',
    title: 'the extension API server does not serve {group}/{version} (404)',
    cause: 'The server knows other groups or versions than the one registered.',
    fix: 'Compare spec.group and spec.version of the APIService with what the server serves at /apis.',
  },
  'discovery/not-a-resource-list': {
    severity: 'error',
    hop: 'endpoint',
    title: 'the discovery document of {group}/{version} is not an APIResourceList',
    cause: 'Something else answers at this address, or the server has a fault. Clients can not learn the resources.',
    fix: '`kubectl get --raw /apis/{group}/{version}`',
  },
  'discovery/wrong-group-version': {
    severity: 'error',
    hop: 'endpoint',
    title: 'the discovery document is that of {served}, not of {group}/{version}',
    cause: 'The APIService points at a server of another group or version.',
    fix: 'Correct spec.service of the APIService, or the server.',
  },
  'discovery/no-resources': {
    severity: 'error',
    hop: 'endpoint',
    title: '{group}/{version} is served, but has no resources',
    cause: 'The server installs the group without storage for any resource, or they are switched off by --runtime-config.',
    fix: '`kubectl get --raw /apis/{group}/{version}`',
  },
  'discovery/request-failed': {
    severity: 'error',
    hop: 'endpoint',
    title: 'GET /apis/{group}/{version} through the aggregator answers {status}',
    cause:
      'kube-apiserver could not get an answer from the extension API server, or the server itself failed; the body below is what it says.',
    fix: "Read the body; then the extension API server's log.",
    explainedBy: [...anyAnswerFault, 'control-plane/*'],
  },
  'discovery/slow': {
    severity: 'error',
    hop: 'endpoint',
    title: 'the extension API server takes more than 5 seconds to answer',
    cause:
      'The handshake succeeds, and then no answer comes in the time that kube-apiserver waits for discovery. The server is overloaded, or waits for something behind it.',
    fix: "Read the server's log, and look at its CPU limit and at what it depends on (etcd, a metrics store).",
  },
  'discovery/redirected': {
    severity: 'error',
    hop: 'endpoint',
    title: 'the extension API server redirects requests ({status})',
    cause:
      'kube-apiserver takes a redirect as a failure and does not follow it. Often a web server or a login page answers at this address.',
    fix: 'Serve /apis/{group}/{version} directly; check where Service {namespace}/{service} leads.',
  },
  'discovery/server-error': {
    severity: 'error',
    hop: 'endpoint',
    title: 'the extension API server fails ({status})',
    cause: 'It answers kube-apiserver itself with an error, even as system:masters.',
    fix: "Read the server's log: `kubectl -n {namespace} logs -l <selector of the Service>`",
    explainedBy: ['auth/delegator-missing'],
  },
  'discovery/not-in-group': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'kube-apiserver does not list {version} among the versions of {group}',
    cause: 'Clients find an API by its group and version in discovery; what is not listed there they do not find.',
    fix: 'Wait a few seconds after a registration; then look again: `kubectl get --raw /apis/{group}`',
    explainedBy: [...anyTransportFault, ...anyIdentityFault],
  },
  'discovery/not-listed': {
    severity: 'warning',
    hop: 'kube-apiserver',
    title: 'kubectl does not know the resources of {group}/{version}, though the API answers',
    cause:
      'kube-apiserver lists all groups in one document, for which it asks the extension API server every minute: for /apis in the newest form, else for /apis/{group}/{version} as the user system:kube-aggregator, who is in no group. It has got no answer that it can use (kube-aggregator pkg/apiserver/handler_discovery.go).',
    fix: 'Let the server answer /apis/{group}/{version} for system:kube-aggregator; its log says what it refuses: `kubectl -n {namespace} logs -l <selector of the Service>`',
    explainedBy: ['discovery/not-in-group'],
  },
  'discovery/openapi-missing': {
    severity: 'warning',
    hop: 'endpoint',
    title: '{group}/{version} has no OpenAPI document',
    cause:
      'kubectl explain, validation and server-side apply of its resources do without a schema. The server does not publish /openapi/v3 or /openapi/v2.',
    fix: 'Give the server an OpenAPI configuration (genericapiserver.Config.OpenAPIV3Config), or ignore this where nobody writes its resources.',
    // Who does not answer kube-apiserver as it lists the resources does not do so as it collects the documents.
    explainedBy: ['discovery/not-listed'],
  },
} as const satisfies Readonly<Record<string, CatalogEntry>>;
