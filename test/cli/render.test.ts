import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { contents, folder } from '../unit/project/folder.ts';
import { apisvc, apisvcWithKeys, sampleProject, shell } from './apisvc.ts';
import { kinds, objects, withSecret } from './rendered.ts';

const note = 'note: Secret wardle/api-tls is not rendered, because it contains a private key; to render it, use --secrets include\n';

let cwd: string;
let dir: string;
beforeEach(async () => {
  cwd = folder();
  dir = await sampleProject(cwd);
});

describe('to stdout', () => {
  test('every object with the caBundle, identical for every run', async () => {
    const first = await apisvc(withSecret, { cwd: dir });
    const second = await apisvc([...withSecret, '-C', 'demo'], { cwd });
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(second.stdout).toBe(first.stdout);
    const all = objects(first.stdout);
    expect(all.map(({ kind }) => kind)).toContain('Secret');
    const { spec } = all.find(({ kind }) => kind === 'APIService');
    expect(Buffer.from(spec.caBundle, 'base64').toString()).toBe(readFileSync(join(dir, 'certs/ca.crt'), 'utf8'));
    const { data } = all.find(({ kind }) => kind === 'Secret');
    expect(Buffer.from(data['tls.key'], 'base64').toString()).toBe(readFileSync(join(dir, 'certs/tls.key'), 'utf8'));
  });

  test('-o json prints the same objects as a List', async () => {
    const yaml = await apisvc(withSecret, { cwd: dir });
    const json = await apisvc([...withSecret, '-o', 'json'], { cwd: dir });
    expect(JSON.parse(json.stdout)).toEqual({ apiVersion: 'v1', kind: 'List', items: objects(yaml.stdout) });
  });

  test.each([
    ['without --secrets, with a note', [], note],
    ['with --secrets omit', ['--secrets', 'omit'], ''],
  ])('no private key %s', async (_, flags, stderr) => {
    const all = await apisvc(['render', ...flags], { cwd: dir });
    expect(all).toMatchObject({ code: 0, stderr });
    expect(kinds(all.stdout)).toContain('APIService');
    expect(kinds(all.stdout)).not.toContain('Secret');
    expect(await apisvc(['render', ...flags, '-o', 'json'], { cwd: dir })).toMatchObject({ code: 0, stderr });
    for (const output of ['yaml', 'kustomize']) {
      const files = await apisvc(['render', ...flags, '-o', output, '--output-dir', output], { cwd: dir });
      expect(files).toMatchObject({ code: 0, stderr });
      expect(contents(join(dir, output)).join()).not.toContain('secret');
    }
    expect(readFileSync(join(dir, 'kustomize/kustomization.yaml'), 'utf8')).not.toContain('secret');
  });

  test('--ca-bundle omit leaves the caBundle out, and nothing else', async () => {
    const whole = objects((await apisvc(withSecret, { cwd: dir })).stdout);
    const { code, stdout, stderr } = await apisvc([...withSecret, '--ca-bundle', 'omit'], { cwd: dir });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const without = whole.map(({ spec, ...rest }) =>
      rest.kind === 'APIService' ? { ...rest, spec: { ...spec, caBundle: undefined } } : { spec, ...rest },
    );
    expect(objects(stdout)).toEqual(without);
    expect(await apisvc([...withSecret, '--ca-bundle', 'include'], { cwd: dir })).toMatchObject({
      stdout: expect.stringContaining('caBundle: '),
    });
  });

  test('only --secrets include needs the key', async () => {
    rmSync(join(dir, 'certs/tls.key'));
    rmSync(join(dir, 'certs/ca.key'));
    expect(await apisvc(['render'], { cwd: dir })).toMatchObject({ code: 0, stderr: note });
    expect(await apisvc(withSecret, { cwd: dir })).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('tls.key: file not found'),
    });
  });
});

describe('an invalid apisvc.yaml: exit 2, line and reason on stderr, nothing on stdout', () => {
  const edit = (change: (text: string) => string): void => {
    const path = join(dir, 'apisvc.yaml');
    writeFileSync(path, change(readFileSync(path, 'utf8')));
  };
  test.each([
    ['empty', () => '', /apisvc\.yaml:1:1: the file is empty/],
    ['bad syntax', (text: string) => text.replace('metadata:', 'metadata: ['), /apisvc\.yaml:\d+:\d+: not valid YAML: /],
    [
      'an unknown key',
      (text: string) => text.replace('  namespace:', '  namespcae:'),
      /apisvc\.yaml:\d+:3: metadata: unknown key "namespcae"; did you mean "namespace"\?/,
    ],
    [
      'a key twice',
      (text: string) => text.replace('kind: Registration', 'kind: Registration\nkind: Registration'),
      /apisvc\.yaml:\d+:1: duplicate key "kind"/,
    ],
    [
      'a wrong type',
      (text: string) => text.replace('port: 443', 'port: "443"'),
      /apisvc\.yaml:\d+:\d+: spec\.service\.port: must be a number, not the string "443"/,
    ],
  ])('%s', async (_, change, message) => {
    edit(change);
    const { code, stdout, stderr } = await apisvc(['render'], { cwd: dir });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/^error: [^\n]+\nfix: [^\n]+\n$/);
  });

  test('missing', async () => {
    rmSync(join(dir, 'apisvc.yaml'));
    const { code, stdout, stderr } = await apisvc(['render'], { cwd: dir });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toBe('error: apisvc.yaml not found\nfix: Set the project directory with -C, or create a project: apisvc init\n');
  });
});

describe('invalid certificate files', () => {
  test.each([
    ['a key that belongs to another', 'tls.key', 'ca.key', 'does not match'],
    ['a key in the place of a certificate', 'tls.crt', 'tls.key', 'expected a certificate, found a private key'],
    ['a certificate in the place of a key', 'tls.key', 'tls.crt', 'expected a private key, found a certificate'],
  ])('%s', async (_, file, other, message) => {
    writeFileSync(join(dir, 'certs', file), readFileSync(join(dir, 'certs', other)));
    const { code, stdout, stderr } = await apisvc(withSecret, { cwd: dir });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(message);
  });
});

describe('certificates that do not match apisvc.yaml: exit 2 before anything is rendered or sent', () => {
  test.each([
    ['render', []],
    ['render', ['--secrets', 'omit']],
    ['register', ['--dry-run', 'client']],
  ])('%s %j', async (command, flags) => {
    const path = join(dir, 'apisvc.yaml');
    writeFileSync(path, readFileSync(path, 'utf8').replace('namespace: wardle', 'namespace: elsewhere'));
    expect(await apisvc([command, ...flags], { cwd: dir })).toEqual({
      code: 2,
      stdout: '',
      stderr:
        'error: certs/tls.crt: the certificate is not valid for api.elsewhere.svc, api.elsewhere, api.elsewhere.svc.cluster.local\n' +
        'fix: If the API is registered, replace the certificate while the API keeps serving: apisvc rotate --ca\n' +
        'If the API is not registered, create new certificates: apisvc init --force-keys\n',
    });
  });

  test('the CA of another project', async () => {
    const other = await sampleProject(cwd, 'other');
    writeFileSync(join(dir, 'certs/ca.crt'), readFileSync(join(other, 'certs/ca.crt')));
    const { code, stderr } = await apisvc(['render'], { cwd: dir });
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: certs\/tls\.crt: the certificate is not signed by a CA in certs\/ca\.crt\n/);
  });
});

describe('stdout', () => {
  test('a closed pipe: no message, exit 0', async () => {
    expect(await shell('{ "$apisvc" -q render; echo "code $?" >&2; } | true', dir)).toEqual({ code: 0, stdout: '', stderr: 'code 0\n' });
    expect(await shell('{ "$apisvc" -q render --output-dir out; echo "code $?" >&2; } | true', dir)).toMatchObject({ stderr: 'code 0\n' });
  });

  test.runIf(process.platform === 'linux')('a full disk: one error, exit 70', async () => {
    expect(await shell('"$apisvc" -q render > /dev/full', dir)).toEqual({
      code: 70,
      stdout: '',
      stderr:
        'error: failed to write stdout: no space left on the device\nfix: Free some space, or choose a directory on another file system.\n',
    });
  });

  test('exit 0 if stderr is closed too', async () => {
    expect(await shell('"$apisvc" render 2>&- | head -c 4', dir)).toMatchObject({ code: 0, stderr: '' });
  });
});

test('--dry-run=client needs no cluster and prints only names', async () => {
  const { code, stdout, stderr } = await apisvc(['register', '--dry-run', 'client'], { cwd: dir });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain('apiservice/v1alpha1.wardle.example.com would be applied (client dry run)\n');
  const json = await apisvcWithKeys(['register', '--dry-run', 'client', '-o', 'json'], { cwd: dir });
  expect(JSON.parse(json.stdout)).toMatchObject({ dryRun: 'client', wouldApply: expect.arrayContaining(['secret/wardle/api-tls']) });
  expect(json.stdout + stdout).not.toContain(Buffer.from('-----BEGIN').toString('base64').slice(0, 12));
});
