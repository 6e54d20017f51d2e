import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ownServer } from '../../src/config/presets.ts';
import { deployingPresets } from '../unit/manifests/fixture.ts';
import { apisvc, kubectl } from './harness/commands.ts';
import { emptyFolder, getObject, kubectlOk } from './harness/projects.ts';
import { isShort } from './harness/thorough.ts';

// existing.test.ts covers the presets for servers that are already running.
describe.each(deployingPresets)('preset %s', (preset) => {
  const dir = emptyFolder();
  const namespace = `preset-${preset}`;
  const own = ownServer(preset) ? ['--api', 'preset.example.com/v1', '--image', 'example.com/server:1'] : [];

  beforeAll(async () => {
    const init = await apisvc(['init', dir, '--preset', preset, '--namespace', namespace, ...own, '--yes']);
    expect(init).toMatchObject({ exitCode: 0, stderr: '' });
    // A dry run does not create the namespace, and without it kube-apiserver can't check the
    // objects in it.
    await kubectlOk(['create', 'namespace', namespace]);
  });

  afterAll(() => kubectl(['delete', 'namespace', namespace, '--wait=false']));

  // Both formats are printed from the same objects.
  test.each(isShort && preset !== 'custom' ? ['yaml'] : ['yaml', 'json'])(
    'kube-apiserver accepts what render prints as %s',
    async (format) => {
      const { exitCode, stdout: manifests } = await apisvc(['render', '--secrets', 'include', '-C', dir, '-o', format]);
      expect(exitCode).toBe(0);
      const applied = await kubectl(['apply', '--server-side', '--validate=strict', '--dry-run=server', '-f', '-'], {
        input: manifests,
      });
      expect({ exitCode: applied.exitCode, stderr: applied.stderr }).toEqual({ exitCode: 0, stderr: '' });
      expect(applied.stdout).toContain('deployment.apps/');
      expect(applied.stdout).toContain('secret/');
      expect(applied.stdout).toContain('apiservice.apiregistration.k8s.io/');
      const clientSide = await kubectl(['apply', '--dry-run=server', '-f', '-'], { input: manifests });
      expect({ exitCode: clientSide.exitCode, stderr: clientSide.stderr }).toMatchObject({ exitCode: 0 });
    },
  );

  test('kubectl kustomize builds the same objects from the kustomize output', async () => {
    const folder = join(dir, 'manifests');
    const rendered = await apisvc(['render', '--secrets', 'include', '-C', dir, '-o', 'kustomize', '--output-dir', folder]);
    expect(rendered).toMatchObject({ exitCode: 0, stderr: '' });
    const built = await kubectlOk(['kustomize', folder]);
    const { stdout: plain } = await apisvc(['render', '--secrets', 'include', '-C', dir]);
    const kinds = (text: string): string[] => [...text.matchAll(/^kind: (\w+)$/gm)].map(([, kind]) => String(kind)).sort();
    expect(kinds(built)).toEqual(kinds(plain));
  });

  test('register --dry-run=server prints all changes and changes nothing', async () => {
    const { exitCode, stdout, stderr } = await apisvc(['register', '-C', dir, '--dry-run=server']);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    expect(stdout).toMatch(new RegExp(`^deployment/${namespace}/.* created \\(server dry run\\)$`, 'm'));
    expect(stdout).toMatch(/^apiservice\/.* created \(server dry run\)$/m);
    expect(stdout).not.toContain('not checked');
    const [apiService = ''] = /(?<=^apiservice\/)\S+/m.exec(stdout) ?? [];
    expect(await getObject('apiservice', apiService)).toBeUndefined();
    expect(await kubectlOk(['get', 'deployments,services,secrets', '-n', namespace, '-o', 'name'])).toBe('');
  });
});
