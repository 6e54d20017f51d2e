import { type Code, catalog } from '../../../src/diagnosis/catalog.ts';
import { markdownItem } from '../../../src/report/wrap.ts';
import type { KubernetesVersion } from '../harness/cells.ts';
import { offline } from './offline.ts';
import type { Recording } from './recording.ts';

/** Generates docs/laboratory.md from the recordings of all faults. */

const introduction = `# The fault laboratory

Each row is one test: an API is registered on a real kube-apiserver, usually with one thing broken.
The first column says what was broken. The second column lists the findings of \`apisvc verify\`:
exactly these, and no others. The last two columns show the Available condition that kube-apiserver
reports. If the condition is True, \`kubectl get apiservices\` does not show the fault. If
kube-apiserver refuses the APIService, \`apisvc lint\` finds the fault in the manifest.

The tests are in test/cluster/laboratory, test/cluster/control-planes and test/cluster/node. They
run on Kubernetes 1.37.2 with every change, and on 1.35.4 where a result depends on the version. A
thorough run (CONTRIBUTING.md) repeats all on both.

This page is generated from the recordings of these tests by \`npm run docs\`.
`;

/** @param recordings of every version, by version */
export function laboratoryPage(recordings: Readonly<Record<KubernetesVersion, readonly Recording[]>>): string {
  const [newer, older] = [byFault(recordings['1.37']), byFault(recordings['1.35'])];
  const faults = [...new Map([...newer, ...older]).values()].toSorted((one, other) => placeOf(one) - placeOf(other));
  const rows = faults.map(({ fault, how }) => {
    const [now, before] = [newer.get(fault), older.get(fault)];
    return cells(how, codesCell(now, before), outcomeOf(now), outcomeOf(before));
  });
  const table = [cells('What was broken', 'Found', 'Condition on 1.37', 'Condition on 1.35'), cells('---', '---', '---', '---'), ...rows];
  return `${introduction}\n${table.join('\n')}\n\n${offlineSection()}`;
}

const byFault = (recordings: readonly Recording[]) => new Map(recordings.map((each) => [each.fault, each]));

const order = Object.keys(catalog);
/** The order of docs/findings.md; valid registrations first, several faults at once last. */
const placeOf = ({ codes: [first, ...more] }: Recording): number =>
  first === undefined ? -1 : order.indexOf(first) + (more.length > 0 ? order.length : 0);

const cells = (...texts: readonly string[]): string => `| ${texts.join(' | ')} |`;

function codesCell(now: Recording | undefined, before: Recording | undefined): string {
  const [one, other] = [now, before].map((recording) => recording && codesOf(recording.codes));
  return one === other || other === undefined ? (one ?? '') : one === undefined ? other : `${one}; on 1.35 ${other}`;
}

const codesOf = (codes: readonly Code[]): string =>
  codes.length === 0 ? 'nothing' : codes.map((code) => `[${code}](findings.md#${code.replace('/', '')})`).join(', ');

function outcomeOf(recording: Recording | undefined): string {
  if (recording === undefined) return 'not produced';
  return recording.refused === undefined ? recording.condition : 'refused';
}

function offlineSection(): string {
  const rows = Object.entries(offline).map(([code, why]) => markdownItem(`[${code}](findings.md#${code.replace('/', '')}): ${why}`));
  return `## Not produced here\n\nHand-written snapshots in test/unit/diagnosis cover these findings.\n\n${rows.join('\n')}\n`;
}
