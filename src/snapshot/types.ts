import type * as z from 'zod';
import type { DeepReadonly } from '../config/deep-readonly.ts';
import type * as schema from './schema.ts';
import type * as certManager from './schema-cert-manager.ts';
import type { Absent, answerFault, Unseen } from './schema-parts.ts';
import type * as views from './schema-views.ts';

/**
 * The types of a snapshot. The schemas define and describe them; types are erased, so that only
 * `--from` loads zod.
 */

type Data<T extends z.ZodType> = DeepReadonly<z.infer<T>>;

/**
 * An observation. `absent` (it does not exist) and `unseen` (not checked, and why) are different
 * answers.
 */
export type Observed<T> = { readonly state: 'seen'; readonly value: T } | Readonly<Absent> | Readonly<Unseen>;

export type AnswerFault = Data<typeof answerFault>;
export type Snapshot = Data<typeof schema.snapshotSchema>;
export type Source = Data<typeof schema.sourceSchema>;
export type ApiSnapshot = Data<typeof schema.apiSnapshot>;

export type ManifestView = Data<typeof schema.manifestView>;
export type RelatedView = Data<typeof schema.relatedView>;
export type FilesView = Data<typeof schema.filesView>;

export type ApiServiceView = Data<typeof views.apiServiceView>;
export type AvailableCondition = Data<typeof views.availableCondition>;
export type DeletionView = Data<typeof views.deletionView>;
export type NamespaceView = Data<typeof views.namespaceView>;
export type ServiceView = Data<typeof views.serviceView>;
export type EndpointView = Data<typeof views.endpointView>;
export type EndpointProbe = Data<typeof schema.endpointProbe>;
export type PodView = Data<typeof views.podView>;
export type ContainerView = Data<typeof views.containerView>;
export type Ended = Data<typeof views.ended>;
export type PodEvent = Data<typeof views.podEvent>;
export type ServerView = Data<typeof views.serverView>;
export type SecretView = Data<typeof schema.secretView>;
export type RotationView = Data<typeof schema.rotationView>;
export type ProjectView = Data<typeof schema.projectView>;
export type RequestHeaderView = Data<typeof schema.requestHeaderView>;
export type DelegationView = Data<typeof schema.delegationView>;
export type NeighbourView = Data<typeof schema.neighbourView>;
export type CustomResourceView = Data<typeof schema.customResourceView>;
export type ListedView = Data<typeof schema.listedView>;
export type CertManagerCondition = Data<typeof certManager.certManagerCondition>;
export type CertIssuerView = Data<typeof certManager.certIssuerView>;
export type CertManagerCertificateView = Data<typeof certManager.certManagerCertificateView>;
export type CaSourceView = Data<typeof certManager.caSourceView>;
export type InjectorLeaseView = Data<typeof certManager.injectorLeaseView>;
export type CertManagerView = Data<typeof certManager.certManagerView>;
export type HttpView = Data<typeof schema.httpView>;
export type EndpointAnswerView = Data<typeof schema.endpointAnswerView>;
export type RepeatedAnswerView = Data<typeof schema.repeatedAnswerView>;
export type AsUserView = Data<typeof schema.asUserView>;

/** Which APIServices are meant. */
export type Wanted = { readonly names: readonly string[] } | { readonly all: true } | { readonly labelSelector: string };

/** A project directory, and the names of its APIServices. */
export interface Project extends ProjectView {
  readonly names: readonly string[];
}

export type DeclaredView = Data<typeof schema.declaredView>;

/** What a configuration names, and the names of its APIServices. */
export interface Declared extends DeclaredView {
  readonly names: readonly string[];
}

export interface SnapshotOptions {
  /** An ordinary user to send requests as. */
  readonly asUser?: string;
  /** Paths to request instead of a list of their API. `none` requests no lists. */
  readonly probe?: readonly string[] | 'none';
  /** The project to compare its APIServices with. */
  readonly compared?: Project;
  /** Whether the logs of pods are read. Default true. */
  readonly logs?: boolean;
  /** The configuration to compare its APIServices with. */
  readonly declared?: Declared | undefined;
  /** Called after every APIService. */
  readonly onProgress?: (done: number, total: number) => void;
}
