import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import type { Code } from '../../../src/diagnosis/catalog.ts';
import { diagnose } from '../../../src/diagnosis/diagnose.ts';
import type { ApiDiagnosis, Diagnosis } from '../../../src/diagnosis/types.ts';
import { diagnosisJson } from '../../../src/report/json.ts';
import { readSnapshot } from '../../../src/snapshot/recorded.ts';
import type { Snapshot } from '../../../src/snapshot/types.ts';
import type { KubernetesVersion } from '../harness/cells.ts';
import { codesOf, emptyFolder, kubectlOk, verifyJson } from '../harness/projects.ts';
import { cluster } from '../harness/provided.ts';
import { isShort } from '../harness/thorough.ts';
import { type Recording, readRecording, writeRecording } from './recording.ts';

/** The same value for all versions, or one for each. */
export type PerVersion<T> = T | Readonly<Record<KubernetesVersion, T>>;

/** One way to break a valid registration, and the expected findings of verify. */
export interface Fault {
  /** Unique in the laboratory. Also the name of the Service and the first label of the group. */
  readonly name: string;
  /** What was changed in a valid registration, for docs/laboratory.md. */
  readonly how: string;
  /** The findings that are not symptoms, in order. */
  readonly codes: PerVersion<readonly Code[]>;
  /** What is not checked, e.g. "the certificates that the endpoints serve". Nothing by default. */
  readonly notChecked?: readonly string[];
}

export interface VerifyOptions {
  /** More flags of verify that change what is collected, and not how it is judged. */
  readonly flags?: readonly string[];
  /** Environment of the command, e.g. another KUBECONFIG. */
  readonly env?: Readonly<Record<string, string>>;
  /** The working directory. By default an empty one. */
  readonly cwd?: string;
  /** The version of the current cluster by default. */
  readonly kubernetes?: KubernetesVersion;
  /**
   * How long to wait for the expected findings, in milliseconds, if controllers need time. By
   * default the first result counts.
   */
  readonly withinMs?: number;
  /**
   * The Available condition that verify must read: status, reason and message. Until it does,
   * verify runs again, because kube-apiserver checks again at any time, and may then describe the
   * same fault in other words. By default the recorded status and reason.
   */
  readonly condition?: RegExp;
  /** Matches the title and the evidence of the first finding. */
  readonly text?: RegExp | undefined;
  /** Matches the evidence of the first finding, without its title. */
  readonly evidence?: RegExp;
}

/** How long kube-apiserver may take to check an APIService again, in milliseconds. */
const againMs = 90_000;

/**
 * How long kube-apiserver may take to set a condition, in milliseconds. The availability controller
 * has five workers, and a server that hangs blocks one of them for seconds.
 */
export const conditionMs = 150_000;

/** A valid registration. */
export const valid = (name: string, how: string): Fault => ({ name, how, codes: [] });

/** An ordinary user who may list the resources of every API. */
export const reader = 'reader';
/** Also sends requests as an ordinary user. */
export const asReader: VerifyOptions = { flags: ['--as-user', reader] };

/** Allows the reader to list. */
export async function allowReader(): Promise<void> {
  const rbac = 'rbac.authorization.k8s.io';
  const apiVersion = `${rbac}/v1`;
  const metadata = { name: 'laboratory-reader' };
  const rules = [{ apiGroups: ['*'], resources: ['*'], verbs: ['list'] }];
  const roleRef = { apiGroup: rbac, kind: 'ClusterRole', name: metadata.name };
  const subjects = [{ apiGroup: rbac, kind: 'User', name: reader }];
  const items = [
    { apiVersion, kind: 'ClusterRole', metadata, rules },
    { apiVersion, kind: 'ClusterRoleBinding', metadata, roleRef, subjects },
  ];
  await kubectlOk(['apply', '-f', '-'], { apiVersion: 'v1', kind: 'List', items });
}

/** The value for one version. */
export const valueFor = <T>(value: PerVersion<T>, kubernetes: KubernetesVersion = cluster.cell.kubernetes): T =>
  isPerVersion(value) ? value[kubernetes] : value;

/**
 * Leaves out the faults with the same findings and condition on all versions, where the version is
 * not the newest and a whole tier runs.
 */
export const triedFaults = <T extends Fault & { readonly condition: PerVersion<RegExp | undefined> }>(
  faults: readonly T[],
): readonly T[] =>
  isShort && cluster.cell.kubernetes !== '1.37'
    ? faults.filter(({ codes, condition }) => isPerVersion<unknown>(codes) || isPerVersion<unknown>(condition))
    : faults;

const isPerVersion = <T>(value: PerVersion<T>): value is Readonly<Record<KubernetesVersion, T>> =>
  typeof value === 'object' && value !== null && '1.37' in value;

/**
 * Runs verify for a broken APIService. Expects exactly the codes of the fault, a matching exit
 * code, and the same diagnosis from the saved snapshot. Compares the result with the recording, or
 * records it (APISVC_RECORD=1).
 * @returns the diagnosis, for more expectations
 */
export async function expectFindings(fault: Fault, apiService: string, options: VerifyOptions = {}): Promise<ApiDiagnosis> {
  const { flags = [], env, cwd, kubernetes = cluster.cell.kubernetes, withinMs, text, evidence } = options;
  const run = { ...(env === undefined ? {} : { env }), ...(cwd === undefined ? {} : { cwd }) };
  if (flags.includes(reader)) await allowReader();
  const file = join(emptyFolder(), 'snapshot.json');
  const verify = async () => {
    const result = await verifyJson([apiService, ...flags, '--save', file], run);
    const saved = readFileSync(file, 'utf8');
    return { ...result, saved, snapshot: JSON.parse(saved) as Snapshot };
  };
  const condition = options.condition ?? recordedCondition(kubernetes, fault.name);
  const expected = {
    codes: valueFor(fault.codes, kubernetes),
    notChecked: fault.notChecked ?? [],
    text: text && expect.stringMatching(text),
    evidence: evidence && expect.stringMatching(evidence),
  };
  const summary = (diagnosis: Diagnosis) => {
    const [first] = diagnosis.apis.flatMap(({ findings }) => findings);
    const lines = first?.evidence ?? [];
    return { ...summaryOf(diagnosis), text: text && [first?.title, ...lines].join('\n'), evidence: evidence && lines.join('\n') };
  };
  // Controllers and pods change state repeatedly. The first matching result counts.
  let last = withinMs === undefined ? await untilRead(condition, verify) : undefined;
  const verifyAgain = async () => {
    last = await verify();
    return { ...summary(last.diagnosis), read: hasRead(condition, last.snapshot) };
  };
  if (withinMs !== undefined) await expect.poll(verifyAgain, { timeout: withinMs, interval: 500 }).toEqual({ ...expected, read: true });
  const { exitCode, diagnosis, saved, snapshot } = last as Awaited<ReturnType<typeof verify>>;
  expect(summary(diagnosis), evidenceOf(diagnosis)).toEqual(expected);
  const [api] = diagnosis.apis as [ApiDiagnosis];
  const broken = api.findings.some(({ severity }) => severity === 'error');
  expect({ exitCode, verdict: api.verdict }).toEqual(broken ? { exitCode: 1, verdict: 'broken' } : { exitCode: 0, verdict: 'healthy' });
  expect(JSON.stringify(diagnosis)).not.toContain('PRIVATE KEY');
  expect(JSON.parse(diagnosisJson(diagnose(readSnapshot(file, saved)))).apis).toEqual(diagnosis.apis);
  compare({ fault: fault.name, how: fault.how, kubernetes, codes: expected.codes, condition: conditionOf(snapshot), snapshot });
  return api;
}

/**
 * Records the result of a fault, or compares it with the recording, so that docs/laboratory.md is
 * correct.
 */
export function compare({ snapshot, ...recording }: Recording): void {
  if (process.env.APISVC_RECORD) {
    writeRecording(snapshot ? { ...recording, snapshot } : recording);
    return;
  }
  const { snapshot: _, ...recorded } = readRecording(recording.kubernetes, recording.fault) ?? {};
  expect(recorded, 'record it with APISVC_RECORD=1, then npm run docs').toEqual(recording);
}

/** What verify observed, for the message of a failed expectation. */
const evidenceOf = ({ apis }: Diagnosis): string =>
  apis.flatMap(({ findings }) => findings.map(({ code, evidence }) => `${code}: ${evidence.join('; ')}`)).join('\n');

const summaryOf = (diagnosis: Diagnosis) => ({
  codes: codesOf(diagnosis),
  notChecked: diagnosis.apis.flatMap(({ notChecked }) => notChecked.map(({ what }) => what)),
});

/** Runs verify until it has read this condition, or gives the last result. */
async function untilRead<T extends { readonly snapshot: Snapshot }>(condition: RegExp | undefined, verify: () => Promise<T>): Promise<T> {
  const end = performance.now() + againMs;
  for (;;) {
    const result = await verify();
    if (hasRead(condition, result.snapshot) || performance.now() > end) return result;
    await sleep(500);
  }
}

/** Also true where the user of verify may not read the APIService. */
function hasRead(condition: RegExp | undefined, { apis: [api] }: Snapshot): boolean {
  if (condition === undefined || api?.apiService.state !== 'seen') return true;
  const { available } = api.apiService.value;
  return condition.test(available ? `${available.status} ${available.reason} ${available.message}` : none);
}

/** Undefined while recording. */
function recordedCondition(kubernetes: KubernetesVersion, fault: string): RegExp | undefined {
  const recorded = process.env.APISVC_RECORD ? undefined : readRecording(kubernetes, fault);
  return recorded && new RegExp(`^${recorded.condition}( |$)`);
}

/** The condition of an APIService that has none. */
const none = 'none';

function conditionOf({ apis: [api] }: Snapshot): string {
  const available = api?.apiService.state === 'seen' ? api.apiService.value.available : undefined;
  return available ? `${available.status} ${available.reason}` : none;
}
