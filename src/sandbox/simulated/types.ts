import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { ControlPlaneFiles } from '../shared/credentials.ts';
import type { KubernetesImitated } from '../shared/engine.ts';
import type { UserInfo } from '../shared/identity.ts';
import type { RequestInfo } from '../shared/request-info.ts';

/** JSON of a Kubernetes object. */
// biome-ignore lint/suspicious/noExplicitAny: JSON.
export type Obj = any;

/** An authorized request. */
export interface Call {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  readonly info: RequestInfo;
  /** After impersonation. */
  readonly user: UserInfo;
}

export interface Kind {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  /** Whether it has a status subresource. */
  readonly status?: boolean;
  /** Whether metadata.generation counts changes; some kinds have none. */
  readonly generation?: boolean;
  /** Objects can be listed and watched, not written: no controller would act on them. */
  readonly listedOnly?: boolean;
}

export interface StoreEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly kind: Kind;
  readonly object: Obj;
  /** The object before the change. */
  readonly before?: Obj;
  readonly resourceVersion: number;
}

/** `dryRun`: the write is checked and answered, but not stored. */
export interface WriteMode {
  readonly dryRun?: boolean;
}

/** The objects, in memory. They are immutable. */
export interface Store {
  get(kind: Kind, namespace: string | undefined, name: string): Obj | undefined;
  /** In the order of their keys; without a namespace, those of all namespaces. */
  list(kind: Kind, namespace?: string): readonly Obj[];
  /**
   * Sets resourceVersion and, unless they are given, uid, creationTimestamp and generation.
   * @throws ApiFailure AlreadyExists
   */
  create(kind: Kind, object: Obj, mode?: WriteMode): Obj;
  /**
   * Writes nothing when at most the times in managedFields differ.
   * @throws ApiFailure NotFound; Conflict for another resourceVersion
   */
  update(kind: Kind, object: Obj, mode?: WriteMode): Obj;
  /** @throws ApiFailure NotFound */
  delete(kind: Kind, namespace: string | undefined, name: string, mode?: WriteMode): Obj;
  /** That of the last change. */
  readonly resourceVersion: number;
  /** Later changes; undefined when they are no longer all known. */
  since(resourceVersion: number): readonly StoreEvent[] | undefined;
  /** Calls the listener synchronously for every change. @returns unsubscribes */
  subscribe(listener: (event: StoreEvent) => void): () => void;
}

/** What the parts of a simulation share. */
export interface Simulation {
  readonly store: Store;
  readonly kubernetes: KubernetesImitated;
  readonly files: ControlPlaneFiles;
  /** Answers for the log of a pod. */
  readonly kubelet: RequestListener;
  readonly now: () => Date;
  /** Ends controllers and open watches. */
  readonly signal: AbortSignal;
}
