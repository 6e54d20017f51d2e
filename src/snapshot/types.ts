import type { Handshake, Via } from '../cluster/handshake.ts';
import type { CertificateInfo } from '../pki/types.ts';

/**
 * Something that was looked at. "Not there" and "could not be seen" are different answers, and neither is "fine".
 * Undefined where a check of it was never asked for would be a third meaning, so there is none.
 */
export type Observed<T> =
  | { readonly state: 'seen'; readonly value: T }
  | { readonly state: 'absent' }
  | { readonly state: 'unseen'; readonly reason: UnseenReason; readonly words: string };

/**
 * `forbidden`: RBAC. `unreachable`: no route or no answer from here. `not-given`: the files don't have it. `skipped`: it does not apply, or what it depends
 * on is missing.
 */
export type UnseenReason = 'forbidden' | 'unreachable' | 'not-given' | 'skipped';

/** The parts of an APIService that checks read (k8s.io/kube-aggregator/pkg/apis/apiregistration/v1/types.go). */
export interface ApiServiceView {
  readonly name: string;
  readonly group: string;
  readonly version: string;
  /** Undefined for a Local APIService, one that kube-apiserver serves itself. */
  readonly service: { readonly namespace: string; readonly name: string; readonly port: number } | undefined;
  /** base64, as in the object; empty when it is not set. */
  readonly caBundle: string;
  readonly insecureSkipTLSVerify: boolean;
  readonly groupPriorityMinimum: number;
  readonly versionPriority: number;
  readonly available: AvailableCondition | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface AvailableCondition {
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
  /** ISO 8601. */
  readonly lastTransitionTime: string;
}

export interface ServiceView {
  readonly type: string;
  readonly clusterIP: string;
  readonly externalName: string | undefined;
  readonly selector: Readonly<Record<string, string>>;
  readonly ports: readonly { readonly name: string; readonly port: number; readonly targetPort: string }[];
}

/** One address of an EndpointSlice. */
export interface EndpointView {
  readonly slice: string;
  readonly address: string;
  readonly ready: boolean;
  /** Name of the pod behind it, when there is one. */
  readonly pod: string | undefined;
  readonly ports: readonly { readonly name: string; readonly port: number }[];
}

export interface EndpointProbe {
  /** `10.0.0.1:443 (pod x)`, for people. */
  readonly at: string;
  /** Name of the pod behind it; undefined for an address that somebody gave. */
  readonly pod: string | undefined;
  readonly via: Via;
  /** Why no way led into the pod, where its address was dialled instead. */
  readonly noForward?: string;
  readonly handshake: Handshake;
}

/** The parts of a pod that say whether it serves, and what keeps it from that. Nothing of its environment or its volumes. */
export interface PodView {
  readonly name: string;
  readonly uid: string;
  /** The uid of its controller, for the pods of a Deployment a ReplicaSet. */
  readonly owner: string | undefined;
  readonly node: string | undefined;
  readonly phase: string;
  readonly ready: boolean;
  /** What the condition Ready says where it is not True. */
  readonly unready: { readonly reason: string; readonly message: string } | undefined;
  /** Its sandbox, its network and its volumes are there (condition PodReadyToStartContainers, KEP-3085). */
  readonly prepared: boolean;
  /** It is on its way out. */
  readonly deleting: boolean;
  /** When it should be gone, its grace period over: ISO 8601. */
  readonly goneBy: string | undefined;
  /** What the scheduler says while it is on no node. */
  readonly unscheduled: string | undefined;
  /** Init containers first, which start first. */
  readonly containers: readonly ContainerView[];
  /** Only asked for where the pod is not ready. */
  readonly events: Observed<readonly PodEvent[]>;
  /** Of the container that crashes, or is not ready; only asked for where there is one. */
  readonly lastLogLine: Observed<string>;
}

export interface ContainerView {
  readonly name: string;
  readonly init: boolean;
  readonly ready: boolean;
  readonly restarts: number;
  readonly state: Running | { readonly kind: 'waiting'; readonly reason: string; readonly message: string } | Ended;
  /** How it ended before its last restart. */
  readonly before: Ended | undefined;
  /** What kubelet asks for, e.g. `HTTPS GET /readyz at port 8443`; nothing without a readiness probe. */
  readonly readinessProbe?: string;
}

export interface Running {
  readonly kind: 'running';
  /** ISO 8601. */
  readonly startedAt: string;
}

export interface Ended {
  readonly kind: 'ended';
  readonly exitCode: number;
  readonly reason: string;
  /** What the container, or the container runtime, left as its last words: one line, mostly empty. */
  readonly message: string;
}

/** An event about a pod: a warning, or the news that a node is being added for it. */
export interface PodEvent {
  readonly reason: string;
  readonly message: string;
}

/** What a pod's server is given, as far as it decides which certificate it serves and whom it believes. */
export interface ServerView {
  /** Name of one of the pods that this was read from. */
  readonly pod: string;
  readonly serviceAccount: string;
  /**
   * Flags of the container at the port of the Service that decide about TLS and identities: `--tls-cert-file`, `--cert-dir`, `--secure-port`,
   * `--client-ca-file`, `--requestheader-*`, `--authentication-*`...
   */
  readonly flags: readonly string[];
  /** Secrets that are mounted into it, and where; `subPath` mounts never see a change (kubernetes.io, Secrets, "Mounted Secrets are updated automatically"). */
  readonly secrets: readonly { readonly name: string; readonly mountPath: string; readonly subPath: boolean }[];
  /** ISO 8601; undefined for a pod that no kubelet has taken up. */
  readonly startedAt: string | undefined;
}

/** The certificate part of a Secret. Its key was compared while looking and then forgotten. */
export interface SecretView {
  readonly name: string;
  /** Names of the pods that are given it; others behind the same Service may be given another one. */
  readonly pods: readonly string[];
  readonly type: string;
  /** What the server reads of it, where that is known: names of entries; the key may be elsewhere. */
  readonly entries?: { readonly certificate: string; readonly key?: string };
  /** Of the entry that the server reads, mostly `tls.crt`; empty where that holds none. */
  readonly certificates: readonly CertificateInfo[];
  /** Whether the key, mostly `tls.key`, belongs to the first certificate; undefined where one of them is missing or can't be read. */
  readonly keyMatches: boolean | undefined;
  /** Names of its other entries, never their content. */
  readonly otherKeys: readonly string[];
}

/** What kube-apiserver publishes for extension API servers: ConfigMap kube-system/extension-apiserver-authentication. */
export interface RequestHeaderView {
  /** `requestheader-client-ca-file`; empty where it is missing or holds none. */
  readonly clientCa: readonly CertificateInfo[];
  readonly allowedNames: readonly string[];
  readonly usernameHeaders: readonly string[];
  /** Whether `client-ca-file` is there. */
  readonly hasClientCa: boolean;
  /** Whether some value holds a private key. */
  readonly holdsPrivateKey: boolean;
}

/** What the ServiceAccount of the server may do, as the cluster's authorizers answer a SubjectAccessReview. */
export interface DelegationView {
  /** `system:serviceaccount:<namespace>:<name>`. */
  readonly account: string;
  /** create tokenreviews and subjectaccessreviews: ClusterRole system:auth-delegator. */
  readonly mayReview: boolean;
  /** get the ConfigMap above: Role extension-apiserver-authentication-reader in kube-system. */
  readonly mayReadAuthentication: boolean;
}

/** Another APIService of the cluster that has to do with this one. */
export interface NeighbourView {
  readonly name: string;
  readonly group: string;
  readonly groupPriorityMinimum: number;
  readonly versionPriority: number;
  /** `<namespace>/<name>`; undefined for a Local one. */
  readonly service: string | undefined;
}

/** A CustomResourceDefinition, as far as it says what it takes. */
export interface CustomResourceView {
  /** `<plural>.<group>`. */
  readonly name: string;
  /** Those that it serves. */
  readonly versions: readonly string[];
}

/** A version of a group in the document that lists all of them (KEP-3352, k8s.io/api/apidiscovery/v2/types.go, APIVersionDiscovery). */
export interface ListedView {
  /** `Stale` where kube-apiserver could not ask the server the last time; `Current` otherwise. */
  readonly freshness: string;
  readonly resources: readonly string[];
}

/** An answer to a GET: the raw body, which kubectl hides. */
export interface HttpView {
  readonly path: string;
  readonly status: number;
  /** At most `bodyLimit` characters. */
  readonly body: string;
}

/** Everything that was seen of one APIService. Plain data: it can be kept in a file and diagnosed anywhere. */
export interface ApiSnapshot {
  readonly name: string;
  readonly apiService: Observed<ApiServiceView>;
  readonly service: Observed<ServiceView>;
  readonly endpoints: Observed<readonly EndpointView[]>;
  /** The pods that the selector of the Service matches. */
  readonly pods: Observed<readonly PodView[]>;
  /** The handshake with every ready endpoint. */
  readonly probes: Observed<readonly EndpointProbe[]>;
  /** GET /apis/<group>/<version> as the person at the keyboard. */
  readonly aggregated: Observed<HttpView>;
  /** GET /apis/<group>: what kube-apiserver makes of all versions of the group. */
  readonly group: Observed<HttpView>;
  /** GET /openapi/v3/apis/<group>/<version>; the body is not kept when it is a 200. */
  readonly openApi: Observed<HttpView>;
  /** The same path as `aggregated` through the service proxy, which verifies no certificate and sends no identity (k8s.io/kubernetes/pkg/registry/core/service/storage). */
  readonly serviceProxy: Observed<HttpView>;
  /** The same path as `aggregated` as the user of --as-user; `skipped` without. */
  readonly asUser: Observed<AsUserView>;
  /** The same path straight at one endpoint, over TLS without client certificate and without identity. */
  readonly anonymous: Observed<HttpView>;
  /** As `anonymous`, with the headers of the front proxy: X-Remote-User and X-Remote-Group of an administrator. A server must not believe them. */
  readonly forged: Observed<HttpView>;
  /** Of one of the pods behind the Service. */
  readonly server: Observed<ServerView>;
  /** The Secret that the server is given as its serving certificate, as far as mounts and flags say which that is. */
  readonly secret: Observed<SecretView>;
  readonly requestHeader: Observed<RequestHeaderView>;
  readonly delegation: Observed<DelegationView>;
  /** The other APIServices of its group and of its Service, and the Local ones. */
  readonly neighbours: Observed<readonly NeighbourView[]>;
  /** The CustomResourceDefinitions of its group. */
  readonly customResources: Observed<readonly CustomResourceView[]>;
  /** What is told of it to clients that ask for all of discovery at once, as kubectl does; absent where it is not listed. */
  readonly listed: Observed<ListedView>;
}

/** What an ordinary user meets. */
export interface AsUserView extends HttpView {
  readonly user: string;
  /** Whether RBAC lets the user get this path (SubjectAccessReview); undefined where that may not be asked. */
  readonly allowed: boolean | undefined;
}

/** Which APIServices are meant. */
export type Wanted = { readonly names: readonly string[] } | { readonly all: true } | { readonly labelSelector: string };

export interface SnapshotOptions {
  /** An ordinary user, to be asked for what that user meets. */
  readonly asUser?: string;
  /** Told after every API how many of them were looked at. */
  readonly onProgress?: (done: number, total: number) => void;
}

export interface Snapshot {
  readonly apiVersion: 'apisvc.dev/snapshot/v1alpha1';
  /** ISO 8601; certificates are judged at this time. */
  readonly takenAt: string;
  readonly source: Source;
  readonly apis: readonly ApiSnapshot[];
}

/** Where a snapshot was taken. */
export type Source =
  | { readonly kind: 'cluster'; readonly server: string; readonly context: string; readonly version: string | undefined }
  | { readonly kind: 'files'; readonly files: readonly string[] };
