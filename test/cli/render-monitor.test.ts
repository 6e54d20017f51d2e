import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { folder } from '../unit/project/folder.ts';
import { apisvc } from './apisvc.ts';
import { kinds } from './rendered.ts';

/** The manifests of a monitor. */

let cwd: string;
beforeEach(() => {
  cwd = folder();
});

describe('--monitor', () => {
  const monitor = ['render', '--monitor', '--image', 'registry.example.com/apisvc:1'];

  test('needs no project', async () => {
    const { code, stdout, stderr } = await apisvc([...monitor, '-n', 'watch'], { cwd });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(kinds(stdout)).toEqual([
      ...['Namespace', 'ServiceAccount', 'ClusterRole', 'ClusterRoleBinding', 'RoleBinding'],
      ...['Service', 'NetworkPolicy', 'Deployment', 'ServiceMonitor', 'PrometheusRule'],
    ]);
    const files = await apisvc([...monitor, '-n', '', '-o', 'kustomize', '--output-dir', 'out'], { cwd });
    expect(files.stdout.split('\n')).toHaveLength(12);
    expect(readFileSync(join(cwd, 'out/060-deployment.yaml'), 'utf8')).toContain('\n  namespace: apisvc-monitor\n');
  });

  test.each([
    [['render', '--monitor'], 'error: required flag "--image" not set\n'],
    // As of a variable of a script that is not set.
    [['render', '--monitor', '--image', ''], 'error: invalid image "": it must be an image reference: '],
    [['render', '--monitor', '--image', 'https://x/y'], 'error: invalid image "https://x/y": it must be an image reference: '],
    [[...monitor, '-n', 'Watch'], 'error: invalid namespace "Watch": a lowercase RFC 1123 label must consist of lower case '],
    [[...monitor, '-n', 'a'.repeat(64)], ': must be no more than 63 characters\nfix: Set -n to the name of a namespace, for example '],
    [[...monitor, '-o', 'helm'], 'error: -o helm cannot be used with --monitor\n'],
    [[...monitor, '--secrets', 'include'], "error: option '--monitor' cannot be used with option '--secrets <choice>'"],
    [[...monitor, '--ca-bundle', 'omit'], "error: option '--monitor' cannot be used with option '--ca-bundle <choice>'"],
    [[...monitor, '--cronjob'], "error: option '--monitor' cannot be used with option '--cronjob'"],
    [[...monitor, '-C', '.'], "error: option '--monitor' cannot be used with option '-C, --directory <dir>'"],
    [[...monitor, '--schedule', '@daily'], "error: option '--monitor' cannot be used with option '--schedule <cron>'"],
    [['render', '--cronjob', '-n', 'x'], "error: option '--cronjob' cannot be used with option '-n, --namespace <namespace>'"],
    [['render', '-n', 'watch'], 'error: --namespace needs --monitor\n'],
    [['render', '--image', 'x'], 'error: --image needs --monitor or --cronjob\n'],
    [['render', '--schedule', '@daily'], 'error: --schedule needs --cronjob\n'],
  ])('%j is refused', async (args, error) => {
    const { code, stderr } = await apisvc(args, { cwd });
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(error) });
    expect(stderr).toMatch(/\nfix: .*\.\n$/);
  });
});
