import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { folder, sharedFolder } from '../unit/project/folder.ts';
import { apisvc, sampleProject, shell } from './apisvc.ts';

/** Shared, because no test writes to the project. */
const project = sharedFolder();
let dir: string;
let manifests: string;
let cwd: string;
beforeAll(async () => {
  dir = await sampleProject(project);
  manifests = (await apisvc(['render', '--secrets', 'include'], { cwd: dir })).stdout;
});
beforeEach(() => {
  cwd = folder();
});

/** The manifests with the caBundle of another CA of the same name. */
async function withWrongBundle(): Promise<string> {
  const other = await sampleProject(cwd, 'other');
  const [mine, theirs] = [dir, other].map((project) => readFileSync(join(project, 'certs/ca.crt')).toString('base64'));
  return manifests.replace(`caBundle: ${mine}`, `caBundle: ${theirs}`);
}

describe('good manifests', () => {
  test('from standard input, a file, a directory and JSON', async () => {
    writeFileSync(join(cwd, 'all.yaml'), manifests);
    await apisvc(['render', '--secrets', 'include', '--output-dir', join(cwd, 'split')], { cwd: dir });
    const { stdout: json } = await apisvc(['render', '--secrets', 'include', '-o', 'json'], { cwd: dir });
    for (const [file, input] of [
      ['-', manifests],
      ['-', json],
      ['all.yaml', ''],
      ['split', ''],
    ] as const) {
      const { code, stdout, stderr } = await apisvc(['lint', file], { cwd, input });
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).toMatch(/^✓ v1alpha1\.wardle\.example\.com: passes\n/);
    }
  });

  test('the certificate in the Secret is shown', async () => {
    const { stdout } = await apisvc(['lint', '-'], { cwd, input: manifests });
    expect(stdout).toContain('Secret wardle/api-tls serves CN=api.wardle.svc, valid until ');
  });
});

describe('faults', () => {
  test('the caBundle of another CA: exit 1, cause and fingerprints, in text and JSON', async () => {
    const input = await withWrongBundle();
    const text = await apisvc(['lint', '-'], { cwd, input });
    expect(text).toMatchObject({ code: 1, stderr: '' });
    expect(text.stdout).toMatch(/error cert\/unknown-authority: /);
    expect(text.stdout.match(/SHA-256 [0-9A-F:]{95}/g)).toHaveLength(2);
    const json = await apisvc(['lint', '-', '-o', 'json'], { cwd, input });
    expect(json.code).toBe(1);
    expect(JSON.parse(json.stdout)).toMatchObject({ verdict: 'broken', source: { kind: 'files', files: ['-'] } });
  });

  test.each([
    ['encoded twice', (bundle: string) => Buffer.from(bundle).toString('base64'), 'bundle/encoded-twice'],
    ['no PEM', () => 'Cg==', 'bundle/unparsable'],
  ])('a caBundle that is %s', async (_, change, code) => {
    const input = manifests.replace(/caBundle: (\S+)/, (_, bundle: string) => `caBundle: ${change(bundle)}`);
    const ran = await apisvc(['lint', '-'], { cwd, input });
    expect(ran.code).toBe(1);
    expect(ran.stdout).toContain(`error ${code}: `);
  });

  test('a certificate for another namespace', async () => {
    const input = manifests.replaceAll('namespace: wardle', 'namespace: elsewhere');
    const ran = await apisvc(['lint', '-'], { cwd, input });
    expect(ran.code).toBe(1);
    expect(ran.stdout).toContain('error cert/san-mismatch: ');
    expect(ran.stdout).toContain('expected name: api.elsewhere.svc');
  });

  test('a Service without the port', async () => {
    const input = manifests.replace(/(kind: Service\n[\s\S]*?- [\s\S]*?)port: 443/, '$1port: 8443');
    expect((await apisvc(['lint', '-'], { cwd, input })).stdout).toContain('error service/port-missing: ');
  });

  test('a missing caBundle is an error, unless an annotation injects it', async () => {
    const input = manifests.replace(/ +caBundle: \S+\n/, '');
    const ran = await apisvc(['lint', '-'], { cwd, input });
    expect(ran.code).toBe(1);
    expect(ran.stdout).toContain('error bundle/empty: ');
    const annotated = input.replace(
      'name: v1alpha1.wardle.example.com\n',
      '$&  annotations: {cert-manager.io/inject-ca-from: wardle/api}\n',
    );
    expect(await apisvc(['lint', '-'], { cwd, input: annotated })).toMatchObject({ code: 0, stderr: '' });
  });

  test('objects without a namespace belong together', async () => {
    const input = (await withWrongBundle()).replaceAll(/^ {2}namespace: wardle\n/gm, '');
    const ran = await apisvc(['lint', '-'], { cwd, input });
    expect(ran.code).toBe(1);
    expect(ran.stdout).toContain('error cert/unknown-authority: ');
    expect(ran.stdout).not.toContain('not checked');
  });

  test('objects that the files do not contain are listed as not checked', async () => {
    const input = manifests.split('---\n').find((text) => text.includes('kind: APIService')) ?? '';
    const ran = await apisvc(['lint', '-'], { cwd, input });
    expect(ran.code).toBe(0);
    expect(ran.stdout.slice(ran.stdout.indexOf('not checked'))).toBe(
      'not checked\n    the Service: the files do not contain it\n    the certificates that the endpoints serve: the files contain no Secret with them\n',
    );
  });

  test('insecureSkipTLSVerify is a warning: exit 0', async () => {
    const input = manifests.replace(/caBundle: \S+/, '').replace('insecureSkipTLSVerify: false', 'insecureSkipTLSVerify: true');
    const ran = await apisvc(['lint', '-'], { cwd, input });
    expect(ran.code).toBe(0);
    expect(ran.stdout).toMatch(/^✓ .*: passes with 1 warning\n/);
  });
});

describe('invalid input: exit 2, one error with a fix', () => {
  test.each([
    ['bad syntax', 'a: [', /^error: -:1:\d+: [^\n]+\nfix: Correct the YAML or JSON in -:1\.\n$/],
    [
      'an alias without an anchor',
      'kind: APIService\nmetadata: *nope\n',
      /^error: -:2:11: unknown anchor 'nope' referenced\nfix: [^\n]+\n$/,
    ],
    [
      'aliases without bound',
      `a: &a [x]\n${[...'bcdefghi'].map((name, i) => `${name}: &${name} [${Array(9).fill(`*${'abcdefghi'[i]}`)}]\n`).join('')}`,
      /^error: -:\d+:\d+: document contains excessive aliasing\nfix: [^\n]+\n$/,
    ],
    ['nothing', '', /^error: no APIService on standard input\nfix: [^\n]+\n$/],
    ['another kind', 'apiVersion: v1\nkind: Service\nmetadata: {name: a}\n', /^error: no APIService on standard input\n/],
  ])('%s', async (_, input, message) => {
    const { code, stdout, stderr } = await apisvc(['lint', '-'], { cwd, input });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
  });

  test('a file that does not exist', async () => {
    expect(await apisvc(['lint', 'none.yaml'], { cwd })).toEqual({
      code: 2,
      stdout: '',
      stderr: 'error: failed to read none.yaml: no such file or directory\nfix: Check the path.\n',
    });
  });
});

describe('colors', () => {
  const start = '\u001b[';
  const linted = async (args: readonly string[], env: Record<string, string>): Promise<string> => {
    return (await apisvc([...args, 'lint', '-'], { cwd, env, input: manifests })).stdout;
  };

  test('are off in a pipe, and can be disabled', async () => {
    expect(await linted([], {})).not.toContain(start);
    expect(await linted([], { FORCE_COLOR: '1', NO_COLOR: '1' })).not.toContain(start);
    expect(await linted(['--no-color'], { FORCE_COLOR: '1' })).not.toContain(start);
  });

  test('are on with FORCE_COLOR, also if NO_COLOR is empty', async () => {
    expect(await linted([], { FORCE_COLOR: '1' })).toContain(`${start}32m✓`);
    expect(await linted([], { FORCE_COLOR: '1', NO_COLOR: '' })).toContain(`${start}32m✓`);
  });

  test('of errors follow the same rules', async () => {
    const error = (env: Record<string, string>): Promise<string> => apisvc(['lint', 'none'], { cwd, env }).then(({ stderr }) => stderr);
    expect(await error({ FORCE_COLOR: '1' })).toContain(`${start}31merror:`);
    expect(await error({ FORCE_COLOR: '1', NO_COLOR: '1' })).not.toContain(start);
  });
});

test('-q prints only the result and errors', async () => {
  const { stdout, stderr, code } = await apisvc(['-q', 'lint', '-'], { cwd, input: await withWrongBundle() });
  expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
  expect(stdout).toContain('cert/unknown-authority');
  expect(await shell('"$apisvc" -q lint none', cwd)).toMatchObject({ stderr: expect.stringContaining('error: ') });
});
