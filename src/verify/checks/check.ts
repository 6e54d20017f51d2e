import type { Code } from '../catalog.ts';
import type { JudgedProbe } from '../endpoint-evidence.ts';
import type { GoFault } from '../go-words.ts';
import type { ApiServiceView, ApiSnapshot, Observation, Observed, Source } from '../types.ts';

/** What every check may use. All of it comes from the snapshot. */
export interface CheckContext {
  readonly snapshot: ApiSnapshot;
  /** The registration; checks only run when it was seen. */
  readonly api: ApiServiceView;
  readonly now: Date;
  /** Files have no cluster around them that could supply what they lack. */
  readonly source: Source['kind'];
  /** The name that kube-apiserver asks for in the handshake; undefined for a Local APIService. */
  readonly host: string | undefined;
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

/** The value of something that was seen. */
export const seen = <T>(observed: Observed<T>): T | undefined => (observed.state === 'seen' ? observed.value : undefined);

/** The line of evidence for words of kube-apiserver. */
export const quote = ({ source, text }: Words): string => `${source}: ${text}`;
