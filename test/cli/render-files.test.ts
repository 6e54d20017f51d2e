import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { contents, folder, modeOf } from '../unit/project/folder.ts';
import { apisvc, sampleProject } from './apisvc.ts';
import { objects, withSecret } from './rendered.ts';

/** Manifests in a directory. */

let dir: string;
beforeEach(async () => {
  dir = await sampleProject(folder());
});

describe('into a directory', () => {
  test('one file for each object; the Secret has mode 0600 and is ignored by git', async () => {
    const { code, stdout } = await apisvc([...withSecret, '--output-dir', 'out'], { cwd: dir });
    expect(code).toBe(0);
    const files = contents(join(dir, 'out'));
    expect(stdout).toBe(
      files
        .filter((file) => file !== '.gitignore')
        .map((file) => `out/${file}\n`)
        .join(''),
    );
    expect(modeOf(join(dir, 'out/040-secret.yaml'))).toBe(0o600);
    expect(readFileSync(join(dir, 'out/.gitignore'), 'utf8')).toContain('040-secret.yaml\n');
    const whole = await apisvc(withSecret, { cwd: dir });
    expect(
      files
        .filter((file) => file !== '.gitignore')
        .map((file) => readFileSync(join(dir, 'out', file), 'utf8'))
        .join('---\n'),
    ).toBe(whole.stdout);
  });

  test('--secrets omit removes the Secret of an earlier render, and names other leftovers', async () => {
    await apisvc([...withSecret, '--output-dir', 'out'], { cwd: dir });
    writeFileSync(join(dir, 'out/999-theirs.yaml'), '');
    const { code, stderr } = await apisvc(['render', '--output-dir', 'out', '--secrets', 'omit'], { cwd: dir });
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr:
        'removed out/040-secret.yaml, which contained a private key from an earlier render\n' +
        'note: out/999-theirs.yaml is not one of the rendered manifests\n',
    });
    expect(contents(join(dir, 'out'))).not.toContain('040-secret.yaml');
  });

  test('control characters in the name of the directory are escaped', async () => {
    const out = 'a\u001b[2Jb';
    await apisvc([...withSecret, '--output-dir', out], { cwd: dir });
    writeFileSync(join(dir, out, '999-theirs.yaml'), '');
    const { code, stdout, stderr } = await apisvc(['render', '--output-dir', out, '--secrets', 'omit'], { cwd: dir });
    expect(code).toBe(0);
    expect(stdout).toContain('a\\x1b[2Jb/060-deployment.yaml\n');
    expect(stderr).toContain('removed a\\x1b[2Jb/040-secret.yaml,');
    expect(stderr).toContain('note: a\\x1b[2Jb/999-theirs.yaml is not');
    expect(stdout + stderr).not.toContain('\u001b');
  });

  test('-o kustomize lists the files in kustomization.yaml', async () => {
    expect((await apisvc(['render', '-o', 'kustomize', '--output-dir', 'out', '--secrets', 'omit'], { cwd: dir })).code).toBe(0);
    const { resources } = objects(readFileSync(join(dir, 'out/kustomization.yaml'), 'utf8'))[0];
    expect(contents(join(dir, 'out'))).toEqual([...resources, 'kustomization.yaml'].sort());
  });

  test('-o helm writes a chart without a Secret and without the Namespace', async () => {
    const helm = ['render', '-o', 'helm', '--output-dir', 'out'];
    const { code, stdout, stderr } = await apisvc(helm, { cwd: dir });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(
      /^out\/Chart.yaml\nout\/values.yaml\nout\/values.schema.json\nout\/templates\/0.*\nout\/templates\/NOTES.txt\n$/s,
    );
    expect(stdout).not.toMatch(/secret|namespace/);
    const [values] = objects(readFileSync(join(dir, 'out/values.yaml'), 'utf8'));
    expect(values).toMatchObject({ secretName: 'api-tls', caBundle: '' });
    expect(readFileSync(join(dir, 'out/templates/NOTES.txt'), 'utf8')).toContain('apisvc verify v1alpha1.wardle.example.com');
    writeFileSync(join(dir, 'out/templates/999-theirs.yaml'), '');
    const again = await apisvc(helm, { cwd: dir });
    expect(again).toEqual({ code: 0, stdout, stderr: 'note: out/templates/999-theirs.yaml is not one of the rendered manifests\n' });
  });

  test('-o helm with --secrets include is an error', async () => {
    expect(await apisvc(['render', '-o', 'helm', '--output-dir', 'out', '--secrets', 'include'], { cwd: dir })).toEqual({
      code: 2,
      stdout: '',
      stderr:
        'error: -o helm cannot be used with --secrets include: a chart contains no private key\n' +
        'fix: Remove --secrets. To create the Secret: apisvc register --only secrets\n',
    });
  });

  test('-o helm with --ca-bundle is an error', async () => {
    expect(await apisvc(['render', '-o', 'helm', '--output-dir', 'out', '--ca-bundle', 'omit'], { cwd: dir })).toEqual({
      code: 2,
      stdout: '',
      stderr:
        'error: -o helm cannot be used with --ca-bundle: the chart has a value caBundle\n' +
        'fix: Remove --ca-bundle. The value is empty by default, and apisvc register sets the caBundle.\n',
    });
  });

  test('nothing is written if a directory has the name of a file', async () => {
    mkdirSync(join(dir, 'out/070-api-service-v1alpha1.wardle.example.com.yaml'), { recursive: true });
    const { code, stderr } = await apisvc([...withSecret, '--output-dir', 'out'], { cwd: dir });
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /^error: failed to write .*070-api-service.*: it is a directory\nfix: Move the directory away, or choose another path\.\n$/,
    );
    expect(contents(join(dir, 'out'))).toHaveLength(1);
  });
});
