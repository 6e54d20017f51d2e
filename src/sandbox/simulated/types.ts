import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ControlPlaneFiles } from '../shared/credentials.ts';
import type { KubernetesImitated } from '../shared/engine.ts';
import type { UserInfo } from '../shared/identity.ts';
import type { Kubelet } from '../shared/kubelet.ts';
import type { RequestInfo } from '../shared/request-info.ts';

/** JSON of a Kubernetes object. What a client sent is checked before it becomes one. */
// biome-ignore lint/suspicious/noExplicitAny: JSON.
export type Obj = any;

/** One request on its way through the simulation. */
export interface Call {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  readonly info: RequestInfo;
  /** After impersonation. */
  readonly user: UserInfo;
}

/** A request that asks for a WebSocket: nobody has answered it yet. */
export interface UpgradeCall extends Omit<Call, 'response'> {
  readonly socket: Duplex;
  readonly head: Buffer;
}

/** One kind of object that the store keeps. */
export interface Kind {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  /** Whether `status` is written by a path of its own, and by no other. */
  readonly status?: boolean;
  /** What an object holds beside apiVersion, kind and metadata; `spec` and `status` without it. */
  readonly fields?: readonly string[];
  /**
   * Whether metadata.generation counts the changes of what the object holds; it does not for every
   * kind.
   */
  readonly generation?: boolean;
  /**
   * Known for those who list and watch it. Nothing here would act on such an object, so none can be
   * written.
   */
  readonly listedOnly?: boolean;
  /** More subresources, for discovery alone. */
  readonly subresources?: readonly Subresource[];
}

export interface Subresource {
  readonly name: string;
  /**
   * Of what is sent and answered; in the group and version of the kind itself, unless they are
   * given.
   */
  readonly kind: string;
  readonly group?: string;
  readonly version?: string;
  readonly verbs: readonly string[];
}

export interface StoreEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly kind: Kind;
  readonly object: Obj;
  /**
   * Before a change; a watch with a selector tells by it whether an object came into sight or left
   * it.
   */
  readonly before?: Obj;
  readonly resourceVersion: number;
}

/** `dryRun`: everything is checked and answered, and nothing kept (dryRun=All). */
export interface WriteMode {
  readonly dryRun?: boolean;
}

/**
 * Everything that the simulation remembers. All of it is in memory and ends with it. Objects that
 * come out are never changed by anybody.
 */
export interface Store {
  get(kind: Kind, namespace: string | undefined, name: string): Obj | undefined;
  /** Without a namespace those of all. In the order of their keys, as etcd has them. */
  list(kind: Kind, namespace?: string): readonly Obj[];
  /**
   * Stores it as it is given but for resourceVersion, and uid, creationTimestamp and generation
   * where they are not there yet.
   * @throws ApiFailure AlreadyExists
   */
  create(kind: Kind, object: Obj, mode?: WriteMode): Obj;
  /**
   * Replaces it. Nothing is written, and no event told, when nothing but managedFields' times
   * differs. The generation grows when spec differs.
   * @throws ApiFailure NotFound; Conflict when `object` has another resourceVersion than what is
   * there
   */
  update(kind: Kind, object: Obj, mode?: WriteMode): Obj;
  /** @throws ApiFailure NotFound */
  delete(kind: Kind, namespace: string | undefined, name: string, mode?: WriteMode): Obj;
  /** The resourceVersion of the last change of anything. */
  readonly resourceVersion: number;
  /** Changes later than a resourceVersion that are remembered; undefined when it is too old. */
  since(resourceVersion: number): readonly StoreEvent[] | undefined;
  /** Is told of every change, at once. @returns ends it */
  subscribe(listener: (event: StoreEvent) => void): () => void;
}

/** What is shared by all parts of one simulation. */
export interface Simulation {
  readonly store: Store;
  readonly kubernetes: KubernetesImitated;
  readonly files: ControlPlaneFiles;
  readonly kubelet: Kubelet;
  readonly now: () => Date;
  /** Ends what runs by itself, such as the availability controller, and open watches. */
  readonly signal: AbortSignal;
}
