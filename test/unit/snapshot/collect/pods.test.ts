import { describe, expect, test } from 'vitest';
import { diagnose } from '../../../../src/diagnosis/diagnose.ts';
import type { ApiDiagnosis } from '../../../../src/diagnosis/types.ts';
import type { PodView } from '../../../../src/snapshot/types.ts';
import { recorded, recordedPods } from '../../diagnosis/recorded.ts';
import { codes, diagnosed, endpoint, readyPod, seen, unseen } from '../../diagnosis/snapshots.ts';

/** The findings about the pods behind a Service. */

const only = (name: string): ApiDiagnosis => diagnose(recorded(name)).apis[0] as ApiDiagnosis;

describe('pods that never became ready, as recorded', () => {
  test.each<[string, string, RegExp[]]>([
    [
      'unknown-flag',
      'endpoints/pod-crashing',
      [/: container api: exit code \d \(Error\), \d restarts?$/, /: last log line of api: .*--no-such-flag/],
    ],
    ['no-such-image', 'endpoints/image-pull', [/: container api: ErrImageNeverPull: /]],
    [
      'no-such-volume',
      'endpoints/pod-cannot-start',
      [/: FailedMount: MountVolume.SetUp failed for volume "[^"]+" : configmap "[^"]+" not found$/],
    ],
    ['no-node-fits', 'endpoints/pod-unschedulable', [/: 0\/\d nodes are available: /]],
  ])('%s is named, and explains all the rest', (name, code, evidence) => {
    const { verdict, findings, notChecked } = only(name);
    expect({ verdict, notChecked, codes: findings.map((each) => each.code) }).toEqual({ verdict: 'broken', notChecked: [], codes: [code] });
    const [finding] = findings;
    const [pod] = recordedPods(name);
    expect(finding?.title).toContain(`pod ${pod?.name}`);
    expect(finding?.evidence).toEqual(evidence.map((pattern) => expect.stringMatching(pattern)));
    for (const line of finding?.evidence ?? []) expect(line.startsWith(`${pod?.name}: `)).toBe(true);
    expect(finding?.explains.map((each) => each.code)).toEqual([
      expect.stringMatching(/^endpoints\/(none|not-ready)$/),
      'discovery/request-failed',
      'control-plane/not-available',
    ]);
  });
});

describe('a pod with a problem beside one that serves', () => {
  const [crashing] = recordedPods('unknown-flag') as [PodView];

  test('is a warning: it gets no requests', () => {
    const diagnosis = diagnosed({ pods: seen([readyPod, crashing]), endpoints: seen([endpoint, { ...endpoint, ready: false }]) });
    expect(diagnosis).toMatchObject({ verdict: 'healthy', findings: [{ code: 'endpoints/pod-crashing', severity: 'warning' }] });
  });

  test('several with the same problem are one finding that names them all, and says each line once', () => {
    const { findings } = diagnosed({ pods: seen([readyPod, crashing, { ...crashing, name: 'api-2' }]) });
    expect(findings.map(({ title }) => title)).toEqual([`Container api crashes in pods ${crashing.name}, api-2`]);
    const [alone] = diagnosed({ pods: seen([readyPod, crashing]) }).findings;
    expect(findings[0]?.evidence).toHaveLength(2);
    expect(findings[0]?.evidence).toEqual(alone?.evidence.map((line) => line.replace(crashing.name, `${crashing.name}, api-2`)));
  });

  test('that is terminating does not count as one that serves', () => {
    const change = { pods: seen([{ ...readyPod, deleting: true }, crashing]), endpoints: unseen() };
    expect(codes(diagnosed(change))).toEqual(['endpoints/pod-crashing']);
    expect(diagnosed(change).verdict).toBe('broken');
  });
});

describe('details of pods that could not be read', () => {
  const [crashing] = recordedPods('unknown-flag') as [PodView];

  test('are reported once, however many pods there are', () => {
    const blind = { ...crashing, events: unseen('no list events'), lastLogLine: unseen('no get pods/log') };
    expect(diagnosed({ pods: seen([readyPod, blind, { ...blind, name: 'api-2' }]) }).notChecked).toEqual([
      { what: 'the events of the pods', why: 'no list events' },
      { what: 'the log of the crashing container', why: 'no get pods/log' },
    ]);
  });

  test('a verdict is possible without the pods', () => {
    expect(diagnosed({ pods: unseen('no list pods') })).toMatchObject({
      verdict: 'healthy',
      findings: [],
      notChecked: [{ what: 'the pods', why: 'no list pods' }],
    });
  });
});

test('a Service without endpoints whose pods have all finished is reported as such', () => {
  const { findings } = diagnosed({
    pods: seen([{ ...readyPod, ready: false, phase: 'Failed' }]),
    endpoints: seen([]),
    probes: seen([]),
  });
  expect(findings[0]).toMatchObject({ code: 'endpoints/none', evidence: [expect.any(String), 'pod api-0: Failed'] });
});
