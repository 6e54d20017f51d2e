import { beforeEach, describe, expect, test } from 'vitest';
import { folder } from '../unit/project/folder.ts';
import { apisvc, root } from './apisvc.ts';
import { hasTmux, terminal } from './tmux.ts';

const explain = (...args: readonly string[]) => apisvc(['explain', ...args], { cwd: root });

describe('explain', () => {
  test('lists all codes or a family, or explains one', async () => {
    const lines = (await explain()).stdout.trimEnd().split('\n');
    expect(lines.length).toBeGreaterThan(40);
    expect((await explain('bundle')).stdout).toMatch(/^(bundle\/\S+ +(error|warning) +.+\n)+$/);
    const { stdout, code } = await explain('service/missing');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^service\/missing \(error\): [\s\S]*cause: [\s\S]*fix: [\s\S]*see: +docs\/findings\.md#servicemissing\n$/);
  });

  test('lists the topics below the codes', async () => {
    const { code, stdout } = await explain();
    expect(code).toBe(0);
    expect(stdout).toMatch(/^cert\/unknown-authority +error/m);
    expect(stdout).toMatch(/\n\nTopics:\ncrd-or-apiservice {2}CRD or APIService: two ways to add an API to Kubernetes\n$/);
    expect((await explain('cert')).stdout).not.toContain('Topics');
  });

  test('crd-or-apiservice says when to use which', async () => {
    const { code, stdout, stderr } = await explain('crd-or-apiservice');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const [crd = '', layer = ''] = stdout.split(/^Use /m).slice(1);
    expect(crd).toMatch(/^a CRD[\s\S]*ordinary application objects[\s\S]*operator patterns/);
    expect(layer).toMatch(
      /^the aggregation layer[\s\S]*data that another system[\s\S]*your own storage[\s\S]*subresources and protocols[\s\S]*multi-tenant views/,
    );
    expect(stdout).toContain('The aggregation layer requires:');
    expect(Math.max(...stdout.split('\n').map(({ length }) => length))).toBeLessThanOrEqual(100);
  });

  test('suggests the nearest name', async () => {
    const { code, stdout, stderr } = await explain('crd-or-apiservce');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('did you mean crd-or-apiservice?\nfix: apisvc explain crd-or-apiservice\n');
  });

  describe('on a terminal', () => {
    beforeEach((context) => context.skip(!hasTmux, 'NOT TESTED: explain on a terminal (needs tmux)'));

    test('a narrow terminal does not break words', async () => {
      const seen = await terminal('apisvc explain crd-or-apiservice', folder(), 40).until(/exit code 0/);
      expect(seen).toContain(
        '  - ordinary application objects: users\n    write them with kubectl, and the\n    etcd of the cluster stores them\n',
      );
    });
  });
});
