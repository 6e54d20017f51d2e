import type { Cluster } from '../cluster/cluster.ts';
import { parseDuration } from '../config/duration.ts';
import { servingNames } from '../config/registration.ts';
import type { Registration } from '../config/schema.ts';
import type { IssuerType } from '../config/schema-certificates.ts';
import { anchorsIn } from '../pki/anchors.ts';
import { issueServing } from '../pki/leaf.ts';
import type { PrivateKey } from '../pki/private-key.ts';
import type { Authority, Issued } from '../pki/types.ts';

export type IssuerSettings = Registration['spec']['certificates']['issuer'];

export interface IssueRequest {
  readonly registration: Registration;
  /** The CA that the user gave on the command line, or the one that the project has. */
  readonly given: Authority | undefined;
  readonly now: Date;
}

/** What an issuer hands to the project. */
export interface NewCertificates {
  readonly issued: Issued;
  /** The CA's private key, where the project is to keep it. */
  readonly caKey?: PrivateKey;
}

/** Where an issuer looks for what it waits for. */
export interface IssuerContext {
  readonly cluster: Cluster;
  readonly registration: Registration;
  readonly signal: AbortSignal;
}

/**
 * Where the certificates of a registration come from: one implementation for each `issuer.type`.
 * Who writes what is in config/responsibilities.ts.
 */
export interface Issuer<Type extends IssuerType> {
  /**
   * Makes new certificates. Absent where apisvc does not sign.
   * @throws UsageError when the settings or the CA do not allow them
   */
  issue?(settings: Extract<IssuerSettings, { readonly type: Type }>, request: IssueRequest): Promise<NewCertificates>;
  /**
   * Why others have not written the Secret yet, in words: what the cluster tells of it.
   * @returns undefined where the cluster tells nothing
   * @throws ClusterError when the cluster cannot be asked; the reason of the signal
   */
  explainMissingSecret?(context: IssuerContext): Promise<string | undefined>;
  /** The same for a caBundle that is still empty. */
  explainMissingBundle?(context: IssuerContext): Promise<string | undefined>;
  /** A command that shows more of why the Secret is not written. Default: one that shows it. */
  secretCommand?(registration: Registration): string;
  /**
   * Whether the others write another certificate as soon as `register` has applied what they read.
   * Then a certificate that does not fit is awaited while `explainMissingSecret` has words.
   */
  readonly correctsSecret?: true;
}

/** Milliseconds of a duration that the schema has checked. */
export const milliseconds = (text: string): number => parseDuration(text) ?? 0;

/**
 * Makes the serving certificate of a registration with a key that apisvc generates.
 * @param authority may be pending, so that the keys of CA and leaf are generated at the same time
 * @throws UsageError as `issueServing` does
 */
export async function issueFrom(authority: Authority | Promise<Authority>, { registration, now }: IssueRequest): Promise<Issued> {
  const { keyType, lifetime } = registration.spec.certificates;
  const names = servingNames(registration);
  const leaf = await issueServing({ authority, names, keyType, lifetimeMs: milliseconds(lifetime), now });
  const { certificates } = await authority;
  return { chain: leaf.certificates, key: leaf.key, anchors: anchorsIn(certificates, 'current') };
}
