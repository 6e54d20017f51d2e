import type { Handshake, Via } from '../cluster/handshake.ts';
import type { Code } from './catalog.ts';

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
  /** Of the container that crashes; only asked for where there is one. */
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

/** An answer to a GET through the aggregator: the raw body, which kubectl hides. */
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

/** error: it does not work, or is about to stop. warning: it works and should not stay so. */
export type Severity = 'error' | 'warning';

/** What a check reports: the code and the facts for its words, nothing else. */
export interface Observation {
  readonly code: Code;
  /** `warning` for something that the catalog calls an error, where the rest of the Service goes on working without it. */
  readonly severity?: Severity;
  /** Values as seen, one a line. */
  readonly evidence: readonly string[];
  /** Values for the words of the catalog. */
  readonly args: Readonly<Record<string, string>>;
}

/** A finding with its words, and the symptoms that it explains. */
export interface Finding {
  readonly code: Code;
  readonly severity: Severity;
  /** One line: what is wrong, with names. */
  readonly title: string;
  readonly evidence: readonly string[];
  readonly cause: string;
  readonly fix: string;
  readonly link: string;
  readonly explains: readonly Finding[];
}

/** Something that could not be looked at, and why. */
export interface NotChecked {
  readonly what: string;
  readonly why: string;
}

/** unknown: nothing was seen that would allow a verdict. */
export type Verdict = 'healthy' | 'broken' | 'unknown';

export interface ApiDiagnosis {
  readonly name: string;
  readonly verdict: Verdict;
  readonly findings: readonly Finding[];
  readonly notChecked: readonly NotChecked[];
  /** What was found in order, one line each. */
  readonly facts: readonly string[];
}

export interface Diagnosis {
  readonly apiVersion: 'apisvc.dev/diagnosis/v1alpha1';
  readonly takenAt: string;
  readonly source: Source;
  readonly verdict: Verdict;
  readonly apis: readonly ApiDiagnosis[];
}
