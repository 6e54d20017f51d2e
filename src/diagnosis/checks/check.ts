import type { CertificateInfo, Inspection } from '../../pki/types.ts';
import type { JudgedProbe } from '../../snapshot/endpoint-evidence.ts';
import { seen } from '../../snapshot/observed.ts';
import { flagValue } from '../../snapshot/server-flags.ts';
import type { ApiServiceView, ApiSnapshot, Source } from '../../snapshot/types.ts';
import type { Severity } from '../catalog/entry.ts';
import type { Code } from '../catalog.ts';
import type { GoFault } from '../go-words.ts';
import type { Observation } from '../types.ts';

/** What every check may use. All of it comes from the snapshot. */
export interface CheckContext {
  readonly snapshot: ApiSnapshot;
  /** The registration; checks only run when it was seen. */
  readonly api: ApiServiceView;
  readonly now: Date;
  /** Certificates that end within this time are worth a warning. */
  readonly expiresWithinMs: number;
  /** Files have no cluster around them that could supply what they lack. */
  readonly source: Source['kind'];
  /** The name that kube-apiserver asks for in the handshake; undefined for a Local APIService. */
  readonly host: string | undefined;
  /** What the caBundle holds. */
  readonly bundle: Inspection;
  /** The certificates in it, which kube-apiserver trusts for this API. */
  readonly roots: readonly CertificateInfo[];
  /** What kube-apiserver itself says about the way to the server, freshest first. */
  readonly words: readonly Words[];
  /** The probes of the snapshot, with what they prove. */
  readonly probes: readonly JudgedProbe[];
}

/** Words of kube-apiserver, where they were found, and what they mean. */
export interface Words {
  readonly source: string;
  readonly text: string;
  readonly fault: GoFault | undefined;
}

/** A family of checks: looks at the snapshot and reports what it sees. Pure. */
export type Check = (context: CheckContext) => readonly Observation[];

export const observation = (code: Code, evidence: readonly string[] = [], args: Readonly<Record<string, string>> = {}): Observation => ({
  code,
  evidence,
  args,
});

/** The same, for what does no harm yet. */
export const asWarning = (observed: Observation): Observation => ({ ...observed, severity: 'warning' satisfies Severity });

/** The value of something that was seen. */
export { seen };

/** The line of evidence for words of kube-apiserver. */
export const quote = ({ source, text }: Words): string => `${source}: ${text}`;

/** Whether the API answers the person at the keyboard through the aggregator. */
export const works = ({ snapshot }: CheckContext): boolean => seen(snapshot.aggregated)?.status === 200;

/** How long the condition has been True, in milliseconds; 0 where it is not. */
export const availableMs = ({ api, now }: CheckContext): number =>
  api.available?.status === 'True' ? now.getTime() - Date.parse(api.available.lastTransitionTime) : 0;

/** The first words of kube-apiserver with one of these meanings. */
export const spokenOf = ({ words }: CheckContext, ...faults: readonly GoFault[]): Words | undefined =>
  words.find(({ fault }) => fault !== undefined && faults.includes(fault));

/** The value of a flag of the server, as in `--secure-port=8443`. */
export const flagOf = ({ snapshot }: CheckContext, name: string): string | undefined => flagValue(seen(snapshot.server)?.flags ?? [], name);

/** What kube-apiserver itself answers in the place of a Service that it finds no way through (k8s.io/kubernetes/pkg/registry/core/service/storage, ResourceLocation). */
const proxyFailed =
  /error trying to reach service|no endpoints available|service unavailable|services \\?"[^"]*" not found|no service port \d+ found/;

/**
 * Whether the service proxy got an answer from the server: then the network between kube-apiserver and the pods is in order, and what fails on
 * the aggregated path is TLS or authentication.
 */
export const proxyAnswered = ({ serviceProxy }: ApiSnapshot): boolean => {
  const answer = seen(serviceProxy);
  // The simulation of `apisvc sandbox` has no service proxy, and answers 501.
  return answer !== undefined && answer.status !== 501 && !proxyFailed.test(answer.body);
};
