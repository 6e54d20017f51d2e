import { describe, expect, test } from 'vitest';
import { listing } from './fault-parts.ts';
import { api, codes, diagnosed, seen } from './snapshots.ts';

describe('a group with a high priority', () => {
  const neighbour = (group: string, groupPriorityMinimum: number) => ({
    name: `v1.${group}`,
    group,
    groupPriorityMinimum,
    versionPriority: 1,
    service: undefined,
  });
  const neighbours = seen([neighbour('', 18_000), neighbour('apps', 17_800), neighbour('batch', 17_400), neighbour('__proto__', 5)]);
  const found = (groupPriorityMinimum: number, ...names: readonly string[]) =>
    diagnosed({ neighbours, apiService: seen({ ...api, groupPriorityMinimum }), aggregated: listing(...names) });

  test('never takes precedence over the core group', () => {
    const { findings } = found(19_000, 'pods', 'secrets');
    expect(findings.map(({ code }) => code)).toEqual(['registration/priority-too-high']);
    expect(findings[0]?.evidence.join()).not.toContain('core');
  });

  test('takes precedence over groups with a lower priority', () => {
    const [finding] = found(17_500, 'deployments', 'jobs').findings;
    expect(finding).toMatchObject({
      code: 'registration/shadows-group',
      title: 'API group wardle.example.com takes precedence over the built-in jobs.batch',
    });
    expect(finding?.cause).toContain('`kubectl get jobs` shows the resource of wardle.example.com instead of jobs.batch');
  });

  test('takes precedence over several groups', () => {
    expect(found(17_900, 'deployments', 'jobs').findings[0]?.title).toBe(
      'API group wardle.example.com takes precedence over the built-in deployments.apps, jobs.batch',
    );
  });

  test('takes precedence also if it is a group of Kubernetes', () => {
    const apiService = seen({ ...api, group: 'wardle.k8s.io', groupPriorityMinimum: 17_900 });
    expect(codes(diagnosed({ neighbours, apiService, aggregated: listing('deployments') }))).toContain('registration/shadows-group');
  });

  test('is not reported to take precedence if the other groups are unknown', () => {
    const apiService = seen({ ...api, groupPriorityMinimum: 17_900 });
    expect(codes(diagnosed({ apiService, aggregated: listing('deployments') }))).toEqual(['registration/priority-too-high']);
  });
});
