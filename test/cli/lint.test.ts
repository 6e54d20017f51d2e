import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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

  test('a missing caBundle is an error, unless an annotation injects it or apisvc rendered the file', async () => {
    const rendered = manifests.replace(/ +caBundle: \S+\n/, '');
    const ofApisvc = await apisvc(['lint', '-'], { cwd, input: rendered });
    expect(ofApisvc.code).toBe(0);
    expect(ofApisvc.stdout).toContain('the caBundle: it is empty; the register command writes it');
    const input = rendered.replaceAll('apisvc.dev/registration:', 'example.com/registration:');
    const ran = await apisvc(['lint', '-'], { cwd, input });
    expect(ran.code).toBe(1);
    expect(ran.stdout).toContain('error bundle/empty: ');
    const annotated = input.replace(
      /name: v1alpha1\.wardle\.example\.com\n[\s\S]*? annotations:\n/,
      '$&    cert-manager.io/inject-ca-from: wardle/api\n',
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
      'not checked\n    the Service: the files do not contain it\n    the certificates that the endpoints serve: the files contain no Secret with them\n    the flags, volume mounts and permissions of the extension API server: the files do not contain the Service\n',
    );
  });

  test('insecureSkipTLSVerify is a warning: exit 0', async () => {
    const input = manifests.replace(/caBundle: \S+/, '').replace('  versionPriority:', '  insecureSkipTLSVerify: true\n  versionPriority:');
    const ran = await apisvc(['lint', '-'], { cwd, input });
    expect(ran.code).toBe(0);
    expect(ran.stdout).toMatch(/^✓ .*: passes with 1 warning\n/);
  });
});

describe('invalid input: exit 2, one error with a fix', () => {
  test.each([
    ['bad syntax', 'a: [', /^error: STDIN:1:\d+: [^\n]+\nfix: Correct the YAML or JSON in STDIN:1\.\n$/],
    ['an alias without an anchor', 'kind: APIService\nmetadata: *nope\n', /^error: STDIN:2:11: unknown anchor referenced\nfix: [^\n]+\n$/],
    [
      'aliases without bound',
      `a: &a [x]\n${[...'bcdefghi'].map((name, i) => `${name}: &${name} [${Array(9).fill(`*${'abcdefghi'[i]}`)}]\n`).join('')}`,
      /^error: STDIN:\d+:\d+: document contains excessive aliasing\nfix: [^\n]+\n$/,
    ],
    ['nothing', '', /^error: standard input is empty\nfix: Check the command before the pipe\.\n$/],
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

const lint = (args: readonly string[], input = '') => apisvc(['lint', ...args], { cwd, input });
/** An APIService with a warning. */
const insecure = (name: string): string =>
  `apiVersion: apiregistration.k8s.io/v1\nkind: APIService\nmetadata: {name: v1.${name}.example.com}\nspec:\n  group: ${name}.example.com\n  version: v1\n  groupPriorityMinimum: 1000\n  versionPriority: 15\n  insecureSkipTLSVerify: true\n  service: {name: ${name}, namespace: ns}\n`;

describe('which files', () => {
  beforeEach(() => {
    mkdirSync(join(cwd, 'm', 'below'), { recursive: true });
    writeFileSync(join(cwd, 'm', 'a.yaml'), insecure('a'));
    writeFileSync(join(cwd, 'm', 'below', 'b.yaml'), insecure('b'));
  });

  test('-f adds a file or a directory, and -R reads subdirectories too', async () => {
    expect((await lint(['-o', 'short', '-f', 'm', '-f', 'm/below'])).stdout.match(/✓ v1\.[ab]/g)).toHaveLength(2);
    expect((await lint(['-o', 'short', 'm'])).stdout.match(/✓ v1\.[ab]/g)).toHaveLength(1);
    expect((await lint(['-o', 'short', '-R', 'm'])).stdout.match(/✓ v1\.[ab]/g)).toHaveLength(2);
  });

  test('a document and a file that cannot be read do not hide the others: exit 1, with file and line', async () => {
    writeFileSync(join(cwd, 'm', 'c.yaml'), `a: b: c\n---\n${insecure('c')}`);
    const { code, stdout, stderr } = await lint(['m', 'none.yaml']);
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    expect(stdout).toMatch(/^✗ files: 2 errors$/m);
    expect(stdout).toMatch(/error manifest\/unreadable: none\.yaml cannot be read\n {4}at: {7}none\.yaml\n/);
    expect(stdout).toMatch(/error manifest\/syntax: [^\n]+\n {4}at: {7}m\/c\.yaml:1:4\n/);
    expect(stdout).toContain('2 APIs: 2 passed; 2 errors in files\n');
  });

  test('programs get the faults of files without an APIService in their format', async () => {
    writeFileSync(join(cwd, 'bad.yaml'), 'a: b: c\n');
    const { code, stdout } = await lint(['bad.yaml', '-o', 'github']);
    expect(code).toBe(2);
    expect(stdout).toMatch(/^::error file=bad\.yaml,line=1,col=4,title=files%3A manifest\/syntax::/);
  });

  test('a kustomization is left to kustomize', async () => {
    writeFileSync(join(cwd, 'm', 'below', 'kustomization.yaml'), 'resources: [b.yaml]\n');
    expect(await lint(['m/below'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('fix: Check the output of kustomize: kubectl kustomize m/below | apisvc lint -\n'),
    });
    expect((await lint(['-R', 'm'])).stdout).toContain('warning manifest/kustomization: ');
  });
});

describe('the project', () => {
  test('is checked without arguments: what render prints', async () => {
    const { code, stdout } = await apisvc(['lint'], { cwd: dir });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^✓ v1alpha1\.wardle\.example\.com: passes\n[\s\S]*Secret wardle\/api-tls serves CN=api\.wardle\.svc/);
  });

  test('is checked without its private key too, and its faults name its files', async () => {
    const [mine, other] = [await sampleProject(cwd, 'mine'), await sampleProject(cwd, 'other')];
    rmSync(join(mine, 'certs', 'tls.key'));
    copyFileSync(join(other, 'certs', 'ca.crt'), join(mine, 'certs', 'ca.crt'));
    const { code, stdout } = await lint(['-C', 'mine']);
    expect(code).toBe(1);
    expect(stdout).toMatch(/error cert\/unknown-authority: [^\n]+\n {4}at: {7}mine\/certs\/ca\.crt:1\n/);
    expect(stdout).toContain('apisvc init mine --force-keys\n');
    expect(stdout).toContain('    whether the private key matches the certificate: mine/certs/tls.key not found\n');
  });
});

describe('what fails', () => {
  test.each([
    [[], 0, '✓ v1.a.example.com: passes with 1 warning\n'],
    [['--fail-on', 'warning'], 1, '✗ v1.a.example.com: broken\n'],
    [['--fail-on', 'warning'], 1, 'failed: findings in v1.a.example.com (--fail-on warning)\n'],
    [['--strict'], 1, 'error manifest/incomplete: '],
    [['--strict', '--fail-on', 'never'], 0, 'error manifest/incomplete: '],
  ] as const)('%j: exit %d', async (flags, code, words) => {
    const ran = await lint([...flags, '-'], insecure('a'));
    expect(ran).toMatchObject({ code, stderr: '' });
    expect(ran.stdout).toContain(words);
  });

  test('what fails is an error in every format', async () => {
    const ran = (output: string) => lint(['-', '--fail-on', 'warning', '-o', output], insecure('a')).then(({ stdout }) => stdout);
    expect(await ran('junit')).toContain('failures="1"');
    expect(await ran('github')).toMatch(/^::error /);
    expect(JSON.parse(await ran('sarif')).runs[0].results[0].level).toBe('error');
    expect(JSON.parse(await ran('json')).apis[0].findings[0]).toMatchObject({ severity: 'error', locations: [{ file: '-', line: 9 }] });
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

describe('files of a directory', () => {
  test('that define the same object are a warning that names the checked one', async () => {
    const wrong = await withWrongBundle();
    for (const [name, text] of [
      ['base', wrong],
      ['overlay', manifests],
    ] as const) {
      mkdirSync(join(cwd, name));
      writeFileSync(join(cwd, name, 'all.yaml'), text);
    }
    const { code, stdout } = await apisvc(['lint', '-R', '.'], { cwd });
    expect(code).toBe(0);
    expect(stdout).toContain('  warning manifest/duplicate-object: ');
    expect(stdout).toMatch(/APIService v1alpha1\.wardle\.example\.com \(base\/all\.yaml:\d+\), replaced by overlay\/all\.yaml:\d+/);
    expect((await apisvc(['lint', '--strict', '-R', '.'], { cwd })).code).toBe(1);
  });

  test('do not include pipes, which may never have a writer', async () => {
    writeFileSync(join(cwd, 'all.yaml'), manifests);
    await shell('mkfifo pipe.yaml', cwd);
    expect((await apisvc(['lint', '.'], { cwd })).code).toBe(0);
  });
});

test('the private key of another project: exit 2, as in register', async () => {
  const one = await sampleProject(cwd, 'one');
  const other = await sampleProject(cwd, 'other');
  copyFileSync(join(other, 'certs/tls.key'), join(one, 'certs/tls.key'));
  const { code, stdout, stderr } = await apisvc(['lint', '-C', one], { cwd });
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(/^error: .*tls\.key: the private key does not match the certificate .*\nfix: /);
});
