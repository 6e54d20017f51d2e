import type { Finding } from '../../../src/diagnosis/types.ts';
import type { ApiSnapshot, EndpointProbe } from '../../../src/snapshot/types.ts';
import { everything } from './everything.ts';
import { diagnosed } from './snapshots.ts';

/** The findings of an API, observed with all permissions, each with what it explains. */

const tree = (findings: readonly Finding[]): unknown[] => findings.map(({ code, explains }) => [code, explains.map((each) => each.code)]);
export const causesOf = (change: Partial<ApiSnapshot>): unknown[] => tree(diagnosed({ ...everything, ...change }).findings);
export const pod = (probe: EndpointProbe, number: number): EndpointProbe => ({
  ...probe,
  at: `10.1.0.${number}:8443 (pod api-${number})`,
  pod: `api-${number}`,
  via: 'pod',
});
