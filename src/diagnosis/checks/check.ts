import type { CertificateInfo, Inspection } from '../../pki/types.ts';
import type { JudgedProbe } from '../../snapshot/endpoint-evidence.ts';
import { seen } from '../../snapshot/observed.ts';
import type { ObjectField } from '../../snapshot/offline/objects.ts';
import { flagValue } from '../../snapshot/server-flags.ts';
import type { ApiServiceView, ApiSnapshot, HttpView, Source } from '../../snapshot/types.ts';
import type { Severity } from '../catalog/entry.ts';
import type { Code } from '../catalog.ts';
import type { GoFault } from '../go-errors.ts';
import type { Observation } from '../types.ts';

/** The input of every check. All of it comes from the snapshot. */
export interface CheckContext {
  readonly snapshot: ApiSnapshot;
  /** The APIService. Checks run only if it was observed. */
  readonly api: ApiServiceView;
  /** The time of kube-apiserver. */
  readonly now: Date;
  /** Whether this API reports what concerns all of them: the clock of this machine. */
  readonly reportsClock: boolean;
  /** A certificate that expires within this time is a finding. */
  readonly expiresWithinMs: number;
  /** What is missing from files may exist in the cluster. */
  readonly source: Source['kind'];
  /**
   * The name that kube-apiserver verifies in the TLS handshake. Undefined for a Local APIService.
   */
  readonly host: string | undefined;
  /** The content of the caBundle. */
  readonly bundle: Inspection;
  /** The certificates of the caBundle, which kube-apiserver trusts for this API. */
  readonly roots: readonly CertificateInfo[];
  /** The errors that kube-apiserver reports about the server, the newest first. */
  readonly messages: readonly ApiServerMessage[];
  /** The probes of the snapshot, and what they prove. */
  readonly probes: readonly JudgedProbe[];
}

/** An error that kube-apiserver reports, where it was found, and the fault that it means. */
export interface ApiServerMessage {
  readonly source: string;
  readonly text: string;
  readonly fault: GoFault | undefined;
}

/** A family of checks. Pure: the same snapshot gives the same observations. */
export type Check = (context: CheckContext) => readonly Observation[];

export const observation = (code: Code, evidence: readonly string[] = [], args: Readonly<Record<string, string>> = {}): Observation => ({
  code,
  evidence,
  args,
});

/** The observation as a warning, for a fault that does not break the API. */
export const asWarning = (observed: Observation): Observation => ({ ...observed, severity: 'warning' satisfies Severity });

/** An entry of a Secret in the namespace of the Service. */
export const aboutEntry = ({ service }: ApiServiceView, secret: string, entry: string): ObjectField => ({
  kind: 'Secret',
  namespace: service?.namespace ?? '',
  name: secret,
  path: ['data', entry],
});

export { seen };

/** The line of evidence for a message of kube-apiserver. */
export const quote = ({ source, text }: ApiServerMessage): string => `${source}: ${text}`;

/** Whether the current user gets an answer of the API through kube-apiserver. */
export const works = ({ snapshot }: CheckContext): boolean => seen(snapshot.aggregated)?.status === 200;

/** How long the Available condition has been True, in milliseconds. 0 if it is not True. */
export const availableMs = ({ api, now }: CheckContext): number =>
  api.available?.status === 'True' ? now.getTime() - Date.parse(api.available.lastTransitionTime) : 0;

/** The first message of kube-apiserver with one of these faults. */
export const findMessage = ({ messages }: CheckContext, ...faults: readonly GoFault[]): ApiServerMessage | undefined =>
  messages.find(({ fault }) => fault !== undefined && faults.includes(fault));

/** The value of a flag of the server, for example of `--secure-port=8443`. */
export const flagOf = ({ snapshot }: CheckContext, name: string): string | undefined => flagValue(seen(snapshot.server)?.flags ?? [], name);

/**
 * The answers of kube-apiserver itself when the service proxy does not reach the Service
 * (k8s.io/kubernetes/pkg/registry/core/service/storage, ResourceLocation).
 */
const proxyFailed =
  /error trying to reach service|no endpoints available|service unavailable|services \\?"[^"]*" not found|no service port \d+ found/;

/**
 * Whether the service proxy got an answer from the server. Then the network between kube-apiserver
 * and the pods works, and the fault is TLS or authentication.
 */
export const proxyAnswered = ({ serviceProxy }: ApiSnapshot): boolean => {
  const answer = seen(serviceProxy);
  // The simulation of `apisvc sandbox` has no service proxy. It answers 501.
  return answer !== undefined && answer.status !== 501 && !proxyFailed.test(answer.body);
};

/**
 * Whether kube-apiserver itself gave an answer of the aggregator, because it did not reach the
 * server (k8s.io/kube-aggregator/pkg/apiserver/handler_proxy.go).
 */
export const isOwnAnswer = ({ status, body }: HttpView): boolean =>
  status >= 500 && (proxyFailed.test(body) || /^error (?:dialing backend|sending request): /.test(body));
