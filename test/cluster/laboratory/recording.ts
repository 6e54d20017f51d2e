import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Code } from '../../../src/diagnosis/catalog.ts';
import type { Snapshot } from '../../../src/snapshot/types.ts';
import type { KubernetesVersion } from '../harness/cells.ts';

/** What came of one fault on one version of Kubernetes, as it was seen when it was recorded: fixtures of the unit tests, and the rows of docs/laboratory.md. */
export interface Recording {
  readonly fault: string;
  /** How a sound registration was broken, for people. */
  readonly how: string;
  readonly kubernetes: KubernetesVersion;
  /** Of every finding that stands for itself, in order. Of a registration that kube-apiserver refuses: of `apisvc lint`. */
  readonly codes: readonly Code[];
  /** Status and reason of the Available condition; `none` where kube-apiserver writes none. */
  readonly condition: string;
  /** The words of kube-apiserver where it does not accept the registration; there is no snapshot then. */
  readonly refused?: string;
  /** What `apisvc verify --save` kept. */
  readonly snapshot?: Snapshot;
}

const folder = join('test', 'fixtures', 'laboratory');
const fileOf = (kubernetes: KubernetesVersion, fault: string): string => join(folder, kubernetes, `${fault}.json`);

/** Those of one version, by name. Paths are from the project's root, where tests and scripts run. */
export function readRecordings(kubernetes: KubernetesVersion): readonly Recording[] {
  const files = readdirSync(join(folder, kubernetes)).toSorted();
  return files.map((file) => JSON.parse(readFileSync(join(folder, kubernetes, file), 'utf8')));
}

/** @returns undefined when it was never recorded */
export function readRecording(kubernetes: KubernetesVersion, fault: string): Recording | undefined {
  const file = fileOf(kubernetes, fault);
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
}

/** On one line: nobody reads it, and it is recorded anew as a whole. */
export function writeRecording(recording: Recording): void {
  mkdirSync(join(folder, recording.kubernetes), { recursive: true });
  writeFileSync(fileOf(recording.kubernetes, recording.fault), `${JSON.stringify(recording)}\n`);
}
