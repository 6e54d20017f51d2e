import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AnyApiProject, installAnyApiProject, removeAnyApiProject } from '../harness/any-api-project.ts';
import { kubectlOk } from '../harness/projects.ts';
import { type LoadReport, startLoad } from '../harness/start-load.ts';

/**
 * The load generator counts what it should: nothing against a server that works, and every failure
 * against a server that dies. Other specs rely on that when they expect no failures.
 */

const names = { keeping: 'load-keeping', closing: 'load-closing' };
const flags = { keeping: [], closing: ['--close-connections', '--abrupt'] };

describe.each(['keeping', 'closing'] as const)('a load on a server that is %s connections', (kind) => {
  const name = names[kind];
  let project: AnyApiProject;

  beforeAll(async () => {
    project = await installAnyApiProject({ name, replicas: 1, flags: flags[kind] });
  });

  afterAll(() => removeAnyApiProject(project, name));

  /** Runs a load while something happens. */
  const during = async (happen: () => Promise<unknown>): Promise<LoadReport> => {
    const load = await startLoad({ ...project.target, rate: 50 });
    await happen();
    return load.stop();
  };

  test(`gets ${kind === 'closing' ? 'a connection for each request' : 'one connection'} from kube-apiserver`, async () => {
    const connections = new Set<string>();
    for (let request = 0; request < 5; request++) {
      const { path, object } = project.target;
      connections.add(JSON.parse(await kubectlOk(['get', '--raw', `${path}/${object}`])).client);
    }
    expect(connections.size).toBe(kind === 'closing' ? 5 : 1);
  });

  test('reports no failure while the server works, and a watch that stays open', async () => {
    const report = await during(() => pause(5_000));
    expect(report).toMatchObject({ failures: 0, byText: [], retried: [], watch: { opened: 1, longestGapMs: 0, closed: [], events: 1 } });
    expect(report.requests).toBeGreaterThan(240);
  });

  test('does not start if the API does not work', async () => {
    await expect(startLoad({ ...project.target, object: 'two' })).rejects.toThrow(/the API does not work before the load: HTTP 404/);
  });

  test('reports the failures while the only pod is replaced, and the gap of the watch', async () => {
    const report = await during(async () => {
      await kubectlOk(['delete', 'pods', '--namespace', name, '--all', '--force', '--grace-period=0']);
      await kubectlOk(['rollout', 'status', `deployment/${name}`, '--namespace', name, '--timeout=80s']);
      await pause(1_000);
    });
    expect(report.failures).toBeGreaterThan(0);
    expect(report.byText.reduce((sum, { count }) => sum + count, 0)).toBe(report.failures);
    expect(report.byText.map(({ text }) => text).join('\n')).toMatch(/^HTTP 503: /m);
    expect(report.watch?.closed).not.toEqual([]);
    expect(report.watch?.longestGapMs).toBeGreaterThan(0);
  });
});
