import type { IssuerType } from '../../config/schema-certificates.ts';
import type { KubeObject } from '../../manifests/types.ts';
import type { Backend, RunningServer } from '../secure/find.ts';

/** A running registration, before its issuer is known. */
export interface Running {
  readonly backend: Backend;
  readonly apiServices: readonly KubeObject[];
  readonly service: KubeObject;
  /** Undefined for a server outside the cluster. */
  readonly running: RunningServer | undefined;
}

/** Where the certificate of a running registration comes from. */
export interface FoundIssuer {
  /** The fields of `spec.certificates`. Undefined for the default. */
  readonly certificates: {
    readonly issuer: { readonly type: IssuerType; readonly [setting: string]: unknown };
    readonly [field: string]: unknown;
  };
  /** The CAs, in PEM, where no Secret has them. */
  readonly caBundle?: string;
}

/** The file beside apisvc.yaml with these CAs. */
export const caBundleFile = 'ca-bundle.crt';

/** @returns undefined for the default of `spec.certificates.secretName` */
export const named = ({ name }: Backend, secret: string): string | undefined => (secret === `${name}-tls` ? undefined : secret);
