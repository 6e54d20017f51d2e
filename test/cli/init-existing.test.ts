import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { contents, folder } from '../unit/project/folder.ts';
import { apisvc, oneLine, sampleProject } from './apisvc.ts';

/** What init does to a project that exists. */

const sample = ['--preset', 'sample-apiserver', '--yes'];
const bytes = (dir: string): Record<string, string> =>
  Object.fromEntries(
    contents(dir)
      .filter((path) => statSync(join(dir, path)).isFile())
      .map((path) => [path, readFileSync(join(dir, path), 'utf8')]),
  );
const changed = (before: Record<string, string>, after: Record<string, string>): string[] =>
  Object.keys({ ...before, ...after }).filter((path) => before[path] !== after[path]);

describe('an existing project', () => {
  test('does not change without --force: exit 1', async () => {
    const cwd = folder();
    const before = bytes(await sampleProject(cwd));
    const ran = await apisvc(['init', 'demo', ...sample], { cwd });
    expect(ran.code).toBe(1);
    oneLine(ran);
    expect(ran.stderr).toContain('already exists');
    expect(bytes(join(cwd, 'demo'))).toEqual(before);
  });

  test('of several runs at once, one creates the project, and the others change nothing', async () => {
    const cwd = folder();
    const names = ['a', 'b', 'c', 'd'];
    const init = (name: string) => apisvc(['init', 'demo', ...sample, '--service', name, '--dns', `${name}.example.com`], { cwd });
    const ran = await Promise.all(names.map(init));
    const [first, ...others] = ran.filter(({ code }) => code === 0);
    expect(others).toEqual([]);
    expect(first?.stdout).toContain('created demo/apisvc.yaml\n');
    for (const refused of ran.filter((each) => each !== first)) {
      expect(refused).toMatchObject({ code: 1, stdout: '' });
      // The certificates may be written when it looks for them.
      expect(refused.stderr).toMatch(
        /^error: (demo\/apisvc\.yaml (already exists|was created by another process in the meantime)|init would replace the keys in demo\/certs: .*)\n/,
      );
    }
    const winner = names[ran.findIndex(({ code }) => code === 0)];
    expect(readFileSync(join(cwd, 'demo', 'apisvc.yaml'), 'utf8')).toContain(`${winner}.example.com`);
    expect(await apisvc(['lint', '-C', 'demo'], { cwd })).toMatchObject({ code: 0 });
    expect(contents(cwd).filter((path) => /\.[0-9a-f]{8}$/.test(path))).toEqual([]);
  });

  test('--force replaces apisvc.yaml and keeps matching keys', async () => {
    const cwd = folder();
    const dir = await sampleProject(cwd);
    const original = bytes(dir);
    writeFileSync(join(dir, 'apisvc.yaml'), 'changed\n');
    expect((await apisvc(['init', 'demo', ...sample, '--force'], { cwd })).code).toBe(0);
    expect(bytes(dir)).toEqual(original);
  });

  test('--force changes nothing if the keys no longer match', async () => {
    const cwd = folder();
    const dir = await sampleProject(cwd);
    const before = bytes(dir);
    const ran = await apisvc(['init', 'demo', ...sample, '--force', '--namespace', 'elsewhere'], { cwd });
    expect(ran.code).toBe(1);
    oneLine(ran);
    expect(ran.stderr).toContain('--force-keys');
    expect(bytes(dir)).toEqual(before);
  });

  test('--force with another key type changes nothing', async () => {
    const cwd = folder();
    const before = bytes(await sampleProject(cwd));
    const ran = await apisvc(['init', 'demo', ...sample, '--force', '--key-type', 'ecdsa-p384'], { cwd });
    expect(ran.code).toBe(1);
    oneLine(ran);
    expect(ran.stderr).toContain('demo/certs/tls.key: the key type is ecdsa-p256, not ecdsa-p384');
    expect(ran.stderr).toContain('fix: To replace the keys, add --force-keys');
    expect(bytes(join(cwd, 'demo'))).toEqual(before);
  });

  test('--force-keys replaces only the keys', async () => {
    const cwd = folder();
    const dir = await sampleProject(cwd);
    const before = bytes(dir);
    const { code, stdout } = await apisvc(['init', 'demo', '--force-keys', '--yes'], { cwd });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^replaced demo\/certs\/ca\.crt$/m);
    expect(stdout).not.toMatch(/^created /m);
    expect(stdout).toMatch(/\nregister refuses the new CA .*:\n {2}mv demo\/certs demo\/certs\.old && apisvc rotate -C demo --ca\n$/);
    expect(changed(before, bytes(dir)).sort()).toEqual(['certs/ca.crt', 'certs/ca.key', 'certs/tls.crt', 'certs/tls.key']);
  });

  test('--force-keys with flags that would change apisvc.yaml changes nothing', async () => {
    const cwd = folder();
    const before = bytes(await sampleProject(cwd));
    const ran = await apisvc(['init', 'demo', '--force-keys', '--namespace', 'other'], { cwd });
    expect(ran.code).toBe(1);
    oneLine(ran);
    expect(bytes(join(cwd, 'demo'))).toEqual(before);
  });

  test('--force-keys with the flags of the first init shows the command without them', async () => {
    const cwd = folder();
    const before = bytes(await sampleProject(cwd));
    expect(await apisvc(['init', 'demo', ...sample, '--force-keys'], { cwd })).toEqual({
      code: 1,
      stdout: '',
      stderr:
        'error: demo/apisvc.yaml already exists, and --force-keys does not change it\n' +
        'fix: Edit the file, or replace it with --force. To replace only the keys and certificates: apisvc init demo --force-keys\n',
    });
    expect(bytes(join(cwd, 'demo'))).toEqual(before);
  });

  test('keys without apisvc.yaml are not replaced', async () => {
    const cwd = folder();
    mkdirSync(join(cwd, 'demo/certs'), { recursive: true });
    writeFileSync(join(cwd, 'demo/certs/ca.key'), 'precious');
    const ran = await apisvc(['init', 'demo', ...sample], { cwd });
    expect([1, 2]).toContain(ran.code);
    oneLine(ran);
    expect(bytes(join(cwd, 'demo'))).toEqual({ 'certs/ca.key': 'precious' });
  });
});
