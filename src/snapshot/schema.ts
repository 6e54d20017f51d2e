import * as z from 'zod';
import { handshakeSchema, viaSchema } from '../cluster/handshake.ts';
import { certificateSchema } from '../pki/certificate-schema.ts';
import { certManagerView } from './schema-cert-manager.ts';
import { apiServiceName, objectName, observed, optional, texts, time } from './schema-parts.ts';
import { apiServiceView, endpointView, namespaceView, podView, serverView, serviceView } from './schema-views.ts';

/** The shape of a snapshot: its types (types.ts), its JSON Schema, and the check of `--from`. */

export const endpointProbe = z.object({
  at: z.string().describe('For humans, e.g. `10.0.0.1:443 (pod x)`.'),
  pod: optional(z.string()).describe('Absent for an address that belongs to no pod.'),
  via: viaSchema,
  noForward: optional(z.string()).describe('Why the port-forward to the pod failed. The address was dialed directly instead.'),
  handshake: handshakeSchema,
});

/** The certificate part of a Secret. The key is compared while collecting, and not kept. */
export const secretView = z.object({
  name: objectName,
  pods: z.array(objectName).describe('The pods that mount the Secret. Other pods of the Service may mount another Secret.'),
  type: z.string(),
  entries: optional(z.object({ certificate: z.string(), key: optional(z.string()) })).describe(
    'The entries that the server reads, if known. The private key may be in another Secret.',
  ),
  certificates: z.array(certificateSchema).describe('From the entry that the server reads, by default `tls.crt`.'),
  keyMatches: optional(z.boolean()).describe(
    'Whether the private key matches the first certificate. Absent if the key or the certificate is missing or unreadable.',
  ),
  otherKeys: texts.describe('Names of the other entries of the Secret, never their content.'),
  certificateName: optional(z.string()).describe(
    'The annotation cert-manager.io/certificate-name: the Certificate to which the Secret belongs.',
  ),
});

/**
 * What kube-apiserver publishes for extension API servers: ConfigMap
 * kube-system/extension-apiserver-authentication.
 */
export const requestHeaderView = z.object({
  clientCa: z.array(certificateSchema).describe('The certificates of `requestheader-client-ca-file`.'),
  allowedNames: texts,
  usernameHeaders: texts,
  hasClientCa: z.boolean().describe('Whether `client-ca-file` exists.'),
  holdsPrivateKey: z.boolean().describe('Whether any value contains a private key.'),
});

const fieldPath = z.array(z.union([z.string(), z.number()])).describe('Keys, and indexes of lists.');

/** What the ServiceAccount of the server may do, according to SubjectAccessReviews. */
export const delegationView = z.object({
  account: z.string().describe('`system:serviceaccount:<namespace>:<name>`'),
  mayReview: optional(z.boolean()).describe(
    'Whether it may create tokenreviews and subjectaccessreviews (ClusterRole system:auth-delegator). Absent if the files do not show this.',
  ),
  deniedReviews: optional(z.array(z.enum(['TokenReviews', 'SubjectAccessReviews']))).describe('The reviews that it may not create.'),
  mayReadAuthentication: optional(z.boolean()).describe(
    'Whether it may get the ConfigMap (Role extension-apiserver-authentication-reader in kube-system). Absent if the files do not show this.',
  ),
  misses: optional(
    z.array(
      z.object({
        permission: z.enum(['review', 'read-authentication']),
        kind: z.string(),
        namespace: optional(z.string()),
        name: z.string(),
        path: fieldPath,
        words: z.string(),
      }),
    ),
  ).describe('Only for files: the bindings that should grant a permission, but do not.'),
});

/** Another APIService that affects this one. */
export const neighbourView = z.object({
  name: z.string(),
  group: z.string(),
  groupPriorityMinimum: z.number(),
  versionPriority: z.number(),
  service: optional(z.string()).describe('`<namespace>/<name>`. Absent for a Local APIService.'),
});

export const customResourceView = z.object({
  name: z.string().describe('`<plural>.<group>`'),
  versions: texts.describe('The served versions.'),
});

/**
 * A version of a group in aggregated discovery (KEP-3352, k8s.io/api/apidiscovery/v2/types.go,
 * APIVersionDiscovery).
 */
export const listedView = z.object({
  freshness: z.string().describe('`Stale` if the last request of kube-apiserver to the server failed, otherwise `Current`.'),
  resources: texts,
});

/** The answer to a GET, with the raw body, which kubectl hides. */
export const httpView = z.object({
  path: z.string(),
  status: z.int(),
  /** Shortened, see `viewAnswer`. */
  body: z.string(),
  slowMs: optional(z.int()).describe(
    'How long the response took, if longer than the timeout of the kube-apiserver availability check (5 s).',
  ),
});
const observedHttp = observed(httpView).meta({ id: 'Answer' });

/** What one of several endpoints answers directly. */
export const endpointAnswerView = z.object({
  at: z.string().describe('As in `probes`.'),
  pod: optional(z.string()),
  api: observedHttp.describe('The path of `aggregated`, without a client certificate or identity. The body of a 200 is not kept.'),
  ready: observedHttp.describe('GET /readyz.'),
});

/** An answer to several equal requests. */
export const repeatedAnswerView = z.object({ count: z.int(), answer: observedHttp });

/** An observation that snapshots of earlier versions lack. */
const observedSince = <T extends z.ZodType>(value: T) =>
  observed(value).default({ state: 'unseen', reason: 'skipped', words: 'recorded by an earlier version' });

/** The answer that an ordinary user gets. */
export const asUserView = httpView.extend({
  user: z.string(),
  allowed: optional(z.boolean()).describe(
    'Whether RBAC allows the user to get this path (SubjectAccessReview). Absent if the review is not allowed.',
  ),
});

/** What kube-apiserver refuses or drops when the manifest of an APIService is applied. */
export const manifestView = z.object({
  apiVersion: z.string(),
  kind: optional(z.string()).describe('Set if apiVersion has no such kind.'),
  unnamed: z.boolean().describe('Whether metadata.name is missing.'),
  faults: z.array(
    z.object({
      kind: z.enum(['unknown-field', 'wrong-type', 'not-base64', 'placeholder', 'duplicate-key']),
      path: z.array(z.union([z.string(), z.number()])).describe('Keys, and indexes of lists.'),
      words: z.string().describe('The expected type, the reason or the placeholder.'),
      given: optional(z.string()).describe('The type or the value that the manifest has.'),
      suggestion: optional(z.string()).describe('The field that was probably meant.'),
    }),
  ),
});

const namespaced = { namespace: z.string(), name: z.string() };

/** What files tell besides: the objects around an APIService, and what they lack. */
export const relatedView = z.object({
  nearService: optional(z.object(namespaced)).describe(
    'A Service in the files with a name and namespace similar to those of the missing Service.',
  ),
  workload: optional(
    z.object({
      kind: z.string(),
      ...namespaced,
      ports: texts,
      containers: z.int().describe('Number of containers that keep running.'),
      withoutReplicas: optional(z.literal(true)).describe('spec.replicas is 0 for this workload and all others that the Service selects.'),
      ownCertificate: optional(z.string()).describe('The flag that makes the server generate its certificate.'),
    }),
  ).describe('The workload that serves, and the names of the ports of all workloads that the Service selects.'),
  unselected: texts.describe('If the Service selects no workload: the labels of the workloads in its namespace.'),
  missedServer: optional(z.boolean()).describe(
    'Whether exactly one workload is unselected, has the target port, and is not selected by another Service.',
  ),
  certificate: optional(z.object({ ...namespaced, dnsNames: texts })).describe('The cert-manager Certificate for the serving certificate.'),
  missingCertificate: optional(z.object({ value: z.string(), near: optional(z.string()), why: z.string() })).describe(
    'The value of cert-manager.io/inject-ca-from, if the files do not contain that Certificate.',
  ),
  missingKey: optional(z.string()).describe('Why a project has no private key for its certificate.'),
  writers: texts.describe('The subjects or commands that may update the APIService, and so set its caBundle.'),
});

/** The certificates of a project directory, to compare with those in use. */
export const projectView = z.object({
  directory: z.string(),
  authorities: z.array(certificateSchema).describe('From certs/ca.crt.'),
  certificate: optional(certificateSchema).describe('From certs/tls.crt.'),
  issuesInCluster: optional(z.boolean()).describe(
    'Whether a Secret has the private key of the CA, so that the certificate may be replaced without these files.',
  ),
});

/** What the configuration of a project names, which may have changed since `register`. */
export const declaredView = z.object({
  service: z.object({ namespace: z.string(), name: z.string() }),
  secret: optional(z.string()).describe('The Secret with the serving certificate. Absent if no Secret has it.'),
});

/** A rotation of the serving certificate that has begun, as its Lease tells. */
export const rotationView = z.object({
  kind: z.enum(['leaf', 'ca']),
  direction: z.enum(['forward', 'back']).describe('`back` after --abort.'),
  step: z.string().describe('Id of the current step.'),
  number: z.number().describe('Number of the current step, from 1.'),
  steps: z.number(),
  title: z.string(),
  started: z.string().describe('ISO 8601.'),
  oldCertificate: optional(z.string()).describe('SHA-256.'),
  newCertificate: optional(z.string()),
  holder: z.string().describe('Who runs the rotation, or ran it last: `user@host`.'),
  running: z.boolean().describe('Whether the Lease is being renewed. Otherwise the rotation was interrupted.'),
});

/** Everything observed of one APIService: plain data, which can be saved and diagnosed anywhere. */
export const apiSnapshot = z.object({
  name: apiServiceName,
  apiServerAheadMs: optional(z.int()).describe(
    'How far the clock of kube-apiserver is ahead of the clock of this machine. Absent if they differ by less than 2 minutes.',
  ),
  project: optional(projectView).describe('The project in the current directory, if the APIService belongs to it.'),
  declared: optional(declaredView).describe('What apisvc.yaml of that project names.'),
  rotation: optional(observed(rotationView)).describe('Absent if no rotation of the certificate of the Service is in progress.'),
  similar: optional(z.array(apiServiceName)).describe('If the APIService does not exist: the APIServices that were probably meant.'),
  apiService: observed(apiServiceView),
  service: observed(serviceView),
  namespace: optional(observed(namespaceView)).describe(
    'The namespace of the Service. Read only if the Service is missing or serves nothing.',
  ),
  endpoints: observed(z.array(endpointView)),
  pods: observed(z.array(podView)).describe('The pods that the selector of the Service matches.'),
  probes: observed(z.array(endpointProbe)).describe('The TLS handshake with every ready endpoint.'),
  nameless: optional(z.object({ at: z.string(), handshake: handshakeSchema })).describe(
    'The handshake with one endpoint without a server name (SNI), if it explains why a handshake fails.',
  ),
  aggregated: observedHttp.describe('GET /apis/<group>/<version> as the current user.'),
  group: observedHttp.describe('GET /apis/<group>: how kube-apiserver lists the versions of the group.'),
  openApi: observedHttp.describe('GET /openapi/v3/apis/<group>/<version>. The body of a 200 is not kept.'),
  // k8s.io/kubernetes/pkg/registry/core/service/storage
  serviceProxy: observedHttp.describe(
    'The path of `aggregated` through the service proxy, which verifies no certificate and sends no identity.',
  ),
  list: observedSince(httpView).describe(
    'GET of one list of the API with limit=1, or of the path of --probe. The body of a 200 is not kept.',
  ),
  probed: optional(z.boolean()).describe('Whether `list` and `listAsUser` are the path of --probe.'),
  repeated: observedSince(z.array(repeatedAnswerView)).describe(
    'Several requests for the path of `aggregated`. kube-apiserver may send all of them to one endpoint. Only for a Service with several endpoints.',
  ),
  asUser: observed(asUserView).describe('The path of `aggregated` as the user of --as-user or --as; `skipped` without the flags.'),
  listAsUser: observedSince(asUserView).describe('The path of `list` as the user of --as-user or --as.'),
  anonymous: observedHttp.describe('The path of `aggregated` directly at one endpoint, without a client certificate or identity.'),
  forged: observedHttp.describe(
    'As `anonymous`, with the X-Remote-User and X-Remote-Group of an administrator, which a server must not accept.',
  ),
  endpointAnswers: observedSince(z.array(endpointAnswerView)).describe('Only for a Service with several endpoints.'),
  server: observed(serverView),
  serverLog: observedSince(texts).describe('The last errors in the log of the server. Read only if a metrics API has no resources.'),
  secret: observed(secretView).describe('The Secret with the serving certificate, if the mounts and flags of the server identify it.'),
  requestHeader: observed(requestHeaderView),
  delegation: observed(delegationView),
  neighbours: observed(z.array(neighbourView)).describe('The other APIServices of its group and of its Service, and the Local ones.'),
  customResources: observed(z.array(customResourceView)).describe('The CustomResourceDefinitions of its group.'),
  certManager: optional(certManagerView).describe('Only if the APIService has a cert-manager annotation and cert-manager is installed.'),
  listed: observed(listedView).describe('Its entry in aggregated discovery, which kubectl reads; `absent` if it is not listed.'),
  manifest: optional(manifestView).describe('Only for files.'),
  related: optional(relatedView).describe('Only for files.'),
});

const place = { file: z.string(), line: optional(z.int()).describe('From 1. Absent for a whole file.') };

/** The parts of files that hold no APIService that can be checked. */
export const filesView = z.object({
  faults: z.array(
    z.object({
      ...place,
      column: optional(z.int()),
      kind: z.enum(['unreadable', 'syntax', 'template', 'kustomization', 'removed-version', 'workload-selector', 'duplicate-object']),
      apiVersion: optional(z.string()).describe('The removed version.'),
      words: z.string(),
    }),
  ),
  skipped: z.array(z.object({ ...place, what: z.string(), why: z.string() })),
});

/** Where a snapshot comes from. */
export const sourceSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('cluster'), server: z.string(), context: z.string(), version: optional(z.string()) }),
  z.object({ kind: z.literal('files'), files: texts }),
]);

export const snapshotSchema = z.object({
  apiVersion: z.literal('apisvc.dev/snapshot/v1alpha1'),
  takenAt: time.describe('Certificates are checked at this time.'),
  source: sourceSchema,
  files: optional(filesView).describe('Only for files.'),
  apis: z.array(apiSnapshot),
});
