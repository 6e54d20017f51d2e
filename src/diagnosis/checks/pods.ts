import { type PodProblem, problemOf } from '../../snapshot/pod-problem.ts';
import type { Code } from '../catalog.ts';
import { crashCauses } from '../crash-causes.ts';
import { type Check, observation, seen } from './check.ts';

const codeOf = {
  unschedulable: 'endpoints/pod-unschedulable',
  image: 'endpoints/image-pull',
  'cannot-start': 'endpoints/pod-cannot-start',
  crashing: 'endpoints/pod-crashing',
  node: 'endpoints/node-not-ready',
  gate: 'endpoints/readiness-gate',
  'not-ready': 'endpoints/pod-not-ready',
  terminating: 'endpoints/pod-terminating',
} as const satisfies Record<PodProblem['kind'], Code>;

/**
 * The problems of the pods behind the Service. If another pod is ready, the API still works, and
 * the problem is a warning.
 */
export const checkPods: Check = ({ snapshot, now }) => {
  const pods = seen(snapshot.pods) ?? [];
  const serves = pods.some(({ ready, deleting }) => ready && !deleting) || (seen(snapshot.endpoints) ?? []).some(({ ready }) => ready);
  const problems = pods.flatMap((pod) => problemOf(pod, now) ?? []);
  return (Object.keys(codeOf) as PodProblem['kind'][]).flatMap((kind) => {
    const same = problems.filter((problem) => problem.kind === kind);
    const [first] = same;
    if (!first) return [];
    const names = same.map(({ pod }) => pod).join(', ');
    const { pod, container = '', node = '<none>' } = first;
    const args = { pods: `${same.length === 1 ? 'pod' : 'pods'} ${names}`, pod, container, node, previous: String(first.restarted) };
    const observed = { ...observation(codeOf[kind], evidenceOf(same), args), ...(serves ? { severity: 'warning' as const } : {}) };
    return [kind === 'crashing' ? { ...observed, explainedBy: causesOf(same) } : observed];
  });
};

/** The evidence of all pods. Pods of one Deployment usually say the same, which is one line. */
function evidenceOf(problems: readonly PodProblem[]): readonly string[] {
  const podsOf = new Map<string, string[]>();
  for (const { pod, evidence } of problems) {
    for (const line of new Set(evidence)) podsOf.set(line, [...(podsOf.get(line) ?? []), pod]);
  }
  return [...podsOf].map(([line, pods]) => `${pods.join(', ')}: ${line}`);
}

/**
 * The causes that the messages of all crashing containers report. Other findings do not explain the
 * crash.
 */
const causesOf = (crashes: readonly PodProblem[]): readonly Code[] =>
  (Object.keys(crashCauses) as (keyof typeof crashCauses)[]).filter((code) =>
    crashes.every(({ said }) => said.some((line) => crashCauses[code].test(line))),
  );
