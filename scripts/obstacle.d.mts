import type { Tier } from './tiers.d.mts';

/** What `obstacle` asks of a machine. */
export interface Machine {
  readonly platform: string;
  readonly arch: string;
  getuid?(): number;
}
/** Why a tier cannot run on a machine; undefined if it can. */
export function obstacle(tier: Tier, machine?: Machine): string | undefined;
