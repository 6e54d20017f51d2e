import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Code } from '../../../src/diagnosis/catalog.ts';
import { readSnapshot } from '../../../src/snapshot/recorded.ts';
import type { Snapshot } from '../../../src/snapshot/types.ts';
import type { KubernetesVersion } from '../harness/cells.ts';

/**
 * The recorded result of one fault on one version of Kubernetes: a fixture of unit tests, and a row
 * of docs/laboratory.md.
 */
export interface Recording {
  readonly fault: string;
  /** How a valid registration was broken, for docs/laboratory.md. */
  readonly how: string;
  readonly kubernetes: KubernetesVersion;
  /**
   * The findings that are not symptoms, in order. Those of `apisvc lint` if kube-apiserver refuses
   * the registration.
   */
  readonly codes: readonly Code[];
  /** Status and reason of the Available condition, or `none`. */
  readonly condition: string;
  /** The error of kube-apiserver if it refuses the registration. Then no snapshot exists. */
  readonly refused?: string;
  /** The output of `apisvc verify --save`. */
  readonly snapshot?: Snapshot;
}

const folder = join('test', 'fixtures', 'laboratory');
const fileOf = (kubernetes: KubernetesVersion, fault: string): string => join(folder, kubernetes, `${fault}.json`);

/** The recordings of one version, by name. Paths are relative to the root of the repository. */
export function readRecordings(kubernetes: KubernetesVersion): readonly Recording[] {
  const files = readdirSync(join(folder, kubernetes)).toSorted();
  return files.map((file) => readFile(join(folder, kubernetes, file)));
}

/** Snapshots of earlier versions lack the newest observations. */
function readFile(file: string): Recording {
  const { snapshot, ...recording } = JSON.parse(readFileSync(file, 'utf8'));
  return snapshot ? { ...recording, snapshot: readSnapshot(file, JSON.stringify(snapshot)) } : recording;
}

/** @returns undefined if no recording exists */
export function readRecording(kubernetes: KubernetesVersion, fault: string): Recording | undefined {
  const file = fileOf(kubernetes, fault);
  return existsSync(file) ? readFile(file) : undefined;
}

/** Writes one line, because recordings are generated as a whole. */
export function writeRecording(recording: Recording): void {
  mkdirSync(join(folder, recording.kubernetes), { recursive: true });
  writeFileSync(fileOf(recording.kubernetes, recording.fault), `${JSON.stringify(recording)}\n`);
}
