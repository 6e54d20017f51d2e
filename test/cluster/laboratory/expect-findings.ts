import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Code } from '../../../src/diagnosis/catalog.ts';
import type { ApiDiagnosis, Diagnosis } from '../../../src/diagnosis/types.ts';
import type { Snapshot } from '../../../src/snapshot/types.ts';
import type { KubernetesVersion } from '../harness/cells.ts';
import type { apisvc } from '../harness/commands.ts';
import { codesOf, emptyFolder, verifyJson } from '../harness/projects.ts';
import { cluster } from '../harness/provided.ts';
import { type Recording, readRecording, writeRecording } from './recording.ts';

/** The same on every version, or one for each. */
export type PerVersion<T> = T | Readonly<Record<KubernetesVersion, T>>;

/** One way to break a sound registration, and what verify is to say of it. */
export interface Fault {
  /** Unique in the laboratory; also the name of its Service and the first part of its group, so letters, digits and dashes. */
  readonly name: string;
  /** What was done to a sound registration, in a few words for docs/laboratory.md. */
  readonly how: string;
  /** Every finding that stands for itself, in order. */
  readonly codes: PerVersion<readonly Code[]>;
  /** What of it can't be looked at, e.g. "the certificates that the endpoints serve"; nothing without it. */
  readonly notChecked?: readonly string[];
}

export interface Looking {
  /** More flags of verify. */
  readonly flags?: readonly string[];
  /** Of the command, e.g. another KUBECONFIG. */
  readonly env?: Readonly<Record<string, string>>;
  /** Of the cluster at hand without it. */
  readonly kubernetes?: KubernetesVersion;
  /** For what controllers need a while to show: how long the findings may take to come, in milliseconds. Without it the first look counts. */
  readonly withinMs?: number;
}

/** How long a condition may take to come, in milliseconds: the availability controller has five workers, and every server that hangs keeps one of them for seconds. */
export const conditionMs = 150_000;

/** One with which nothing is wrong. */
export const sound = (name: string, how: string): Fault => ({ name, how, codes: [] });

/** Also looks as an ordinary user. */
export const asJane: Looking = { flags: ['--as-user', 'jane'] };

/** The value for one version. */
export const of = <T>(value: PerVersion<T>, kubernetes: KubernetesVersion = cluster.cell.kubernetes): T =>
  isPerVersion(value) ? value[kubernetes] : value;

const isPerVersion = <T>(value: PerVersion<T>): value is Readonly<Record<KubernetesVersion, T>> =>
  typeof value === 'object' && value !== null && '1.37' in value;

/**
 * Lets verify look at an APIService that was broken: it finds these codes and no other, the exit code fits them, and the snapshot that it keeps gives the same
 * diagnosis. What came of it is compared with the recording, or recorded (APISVC_RECORD=1).
 * @returns the diagnosis, for what else a spec wants to see in it
 */
export async function expectFindings(fault: Fault, apiService: string, looking: Looking = {}): Promise<ApiDiagnosis> {
  const { flags = [], env, kubernetes = cluster.cell.kubernetes, withinMs } = looking;
  const options = env === undefined ? {} : { env };
  const file = join(emptyFolder(), 'snapshot.json');
  const look = () => verifyJson([apiService, ...flags, '--save', file], options);
  const expected = { codes: of(fault.codes, kubernetes), notChecked: fault.notChecked ?? [] };
  // What a controller or a pod does again and again is seen at some looks only; the one that fits counts.
  let last = withinMs === undefined ? await look() : undefined;
  const again = async () => {
    last = await look();
    return summary(last.diagnosis);
  };
  if (withinMs !== undefined) await expect.poll(again, { timeout: withinMs, interval: 500 }).toEqual(expected);
  const { exitCode, diagnosis } = last as Awaited<ReturnType<typeof look>>;
  expect(summary(diagnosis)).toEqual(expected);
  const [api] = diagnosis.apis as [ApiDiagnosis];
  const broken = api.findings.some(({ severity }) => severity === 'error');
  expect({ exitCode, verdict: api.verdict }).toEqual(broken ? { exitCode: 1, verdict: 'broken' } : { exitCode: 0, verdict: 'healthy' });
  expect(JSON.stringify(diagnosis)).not.toContain('PRIVATE KEY');
  await expectReplay(file, diagnosis, flags, options);
  const snapshot: Snapshot = JSON.parse(readFileSync(file, 'utf8'));
  compare({ fault: fault.name, how: fault.how, kubernetes, codes: expected.codes, condition: conditionOf(snapshot), snapshot });
  return api;
}

/** Records what came of a fault, or compares it with what was recorded, so that docs/laboratory.md says what is true. */
export function compare({ snapshot, ...recording }: Recording): void {
  if (process.env.APISVC_RECORD) {
    writeRecording(snapshot ? { ...recording, snapshot } : recording);
    return;
  }
  const { snapshot: _, ...recorded } = readRecording(recording.kubernetes, recording.fault) ?? {};
  expect(recorded, 'record it with APISVC_RECORD=1, then npm run docs').toEqual(recording);
}

/** Flags that say how to look, not what to make of it. */
const looksOnly = ['--as-user'];

async function expectReplay(file: string, { apis }: Diagnosis, flags: readonly string[], options: Parameters<typeof apisvc>[1]) {
  const kept = flags.filter((flag, index) => !looksOnly.includes(flag) && !looksOnly.includes(flags[index - 1] ?? ''));
  const { diagnosis } = await verifyJson(['--from', file, ...kept], options);
  expect(diagnosis.apis).toEqual(apis);
}

const summary = (diagnosis: Diagnosis) => ({
  codes: codesOf(diagnosis),
  notChecked: diagnosis.apis.flatMap(({ notChecked }) => notChecked.map(({ what }) => what)),
});

function conditionOf({ apis: [api] }: Snapshot): string {
  const available = api?.apiService.state === 'seen' ? api.apiService.value.available : undefined;
  return available ? `${available.status} ${available.reason}` : 'none';
}
