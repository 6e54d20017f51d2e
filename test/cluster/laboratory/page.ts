import { type Code, catalog } from '../../../src/diagnosis/catalog.ts';
import { markdownItem } from '../../../src/report/wrap.ts';
import type { KubernetesVersion } from '../harness/cells.ts';
import { offline } from './offline.ts';
import type { Recording } from './recording.ts';

/** Generates docs/laboratory.md from the recordings of all faults. */

const introduction = `# The fault laboratory

Each row is one test, which registers an API on a real kube-apiserver, usually with one fault. "The
server" is the extension API server.

- The first column describes the fault. A row that starts with "nothing" is a valid registration.
- The second column lists all findings of \`apisvc verify\`. If kube-apiserver refuses the
  APIService, it lists the findings of \`apisvc lint\` for the manifest.
- The last two columns show the Available condition that kube-apiserver reports. If the condition is
  True, \`kubectl get apiservices\` does not show the fault. If it is "none", the APIService does
  not exist or has no Available condition.

The tests are in test/cluster/laboratory, test/cluster/control-planes and test/cluster/node. Every
change is tested on Kubernetes 1.37.2. If a result depends on the version, it is also tested on
1.35.4. A thorough run repeats all tests on both versions: see CONTRIBUTING.md.

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
  const table = [cells('Fault', 'Findings', 'Condition on 1.37', 'Condition on 1.35'), cells('---', '---', '---', '---'), ...rows];
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
  if (recording === undefined) return 'not tested';
  return recording.refused === undefined ? recording.condition : 'refused';
}

function offlineSection(): string {
  const rows = Object.entries(offline).map(([code, why]) => markdownItem(`[${code}](findings.md#${code.replace('/', '')}): ${why}`));
  return `## Findings without a test on both versions\n\nHand-written snapshots in test/unit/diagnosis cover these findings.\n\n${rows.join('\n')}\n`;
}
