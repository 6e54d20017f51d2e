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

/** The pods behind the Service: what keeps them from serving. Beside others that serve such a pod gets no requests, so it is a warning there. */
export const checkPods: Check = ({ snapshot, now }) => {
  const pods = seen(snapshot.pods) ?? [];
  const serves = pods.some(({ ready, deleting }) => ready && !deleting) || (seen(snapshot.endpoints) ?? []).some(({ ready }) => ready);
  const troubles = pods.flatMap((pod) => problemOf(pod, now) ?? []);
  return (Object.keys(codeOf) as PodProblem['kind'][]).flatMap((kind) => {
    const same = troubles.filter((trouble) => trouble.kind === kind);
    const [first] = same;
    if (!first) return [];
    const evidence = same.flatMap((trouble) => trouble.evidence.map((line) => `${trouble.pod}: ${line}`));
    const names = same.map(({ pod }) => pod).join(', ');
    const { pod, container = '', node = '<none>' } = first;
    const args = { pods: `${same.length === 1 ? 'pod' : 'pods'} ${names}`, pod, container, node, previous: String(first.restarted) };
    const observed = { ...observation(codeOf[kind], evidence, args), ...(serves ? { severity: 'warning' as const } : {}) };
    return [kind === 'crashing' ? { ...observed, explainedBy: causesOf(same) } : observed];
  });
};

/** What the words of every one of them speak of: whatever else is wrong is not why they crash. */
const causesOf = (crashes: readonly PodProblem[]): readonly Code[] =>
  (Object.keys(crashCauses) as (keyof typeof crashCauses)[]).filter((code) =>
    crashes.every(({ said }) => said.some((line) => crashCauses[code].test(line))),
  );
