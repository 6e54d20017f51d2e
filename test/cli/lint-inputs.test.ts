import { mkdirSync, writeFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { folder } from '../unit/project/folder.ts';
import { apisvc, sampleProject, shell } from './apisvc.ts';
import { startApisvc } from './running.ts';

/** What people pass to lint instead of manifests. */

let cwd: string;
beforeEach(() => {
  cwd = folder();
});
const lint = (args: readonly string[], input = '') => apisvc(['lint', ...args], { cwd, input });

const insecure = (head = 'apiVersion: apiregistration.k8s.io/v1\nkind: APIService\n'): string =>
  `${head}metadata: {name: v1.a.example.com}\nspec: {group: a.example.com, version: v1, groupPriorityMinimum: 1000, versionPriority: 15, insecureSkipTLSVerify: true, service: {name: a, namespace: a}}\n`;

describe('a project as an argument is checked as the project', () => {
  test.each(['.', './apisvc.yaml'])('%s', async (path) => {
    const dir = await sampleProject(cwd);
    const { code, stdout } = await apisvc(['lint', path], { cwd: dir });
    expect({ code, stdout }).toEqual({ code: 0, stdout: (await apisvc(['lint'], { cwd: dir })).stdout });
    expect(stdout).toMatch(/^✓ v1alpha1\.wardle\.example\.com: passes\n/);
  });

  test('unless the directory has manifests of an APIService', async () => {
    const dir = await sampleProject(cwd);
    writeFileSync(join(dir, 'a.yaml'), insecure());
    expect((await apisvc(['lint', '.'], { cwd: dir })).stdout).toContain('✓ v1.a.example.com: passes with 1 warning\n');
  });
});

describe('one error with a fix: exit 2', () => {
  test.each([
    [
      'a URL, without its password',
      ['https://me:secret@example.com/a.yaml'],
      'lint does not download files: https://example.com/a.yaml',
      'Download the file: curl -fsSL https://example.com/a.yaml | apisvc lint -',
    ],
    [
      '-C with a file',
      ['-C', 'p', 'a.yaml'],
      '-C cannot be used with files',
      'Remove -C, or run the command without files to check the project.',
    ],
    [
      'a Helm chart',
      ['chart'],
      'chart/Chart.yaml: its directory is a Helm chart that was not rendered',
      'Render the template, and check the output. With Helm: helm template chart | apisvc lint -\nWith ytt: ytt -f chart | apisvc lint -',
    ],
    [
      'a file that is not UTF-8',
      ['latin.yaml'],
      'failed to read latin.yaml: it is not UTF-8 text',
      'Convert the file to UTF-8. To see its encoding: file latin.yaml',
    ],
    ['a large file', ['large.yaml'], 'failed to read large.yaml: it is larger than 8 MiB', 'Check the path, or split the file.'],
    ['a binary file', ['binary.yaml'], 'binary.yaml:1:2: control characters are not allowed', 'Correct the YAML or JSON in binary.yaml:1.'],
    ['a device', ['/dev/null'], 'failed to read /dev/null: it is a device', 'Specify a file instead of a device.'],
  ])('%s', async (_, args, error, fix) => {
    mkdirSync(join(cwd, 'chart', 'templates'), { recursive: true });
    writeFileSync(join(cwd, 'chart', 'Chart.yaml'), 'name: a\n');
    writeFileSync(join(cwd, 'chart', 'templates', 'a.yaml'), insecure());
    writeFileSync(join(cwd, 'latin.yaml'), Buffer.from([0x61, 0x3a, 0x20, 0xe9]));
    writeFileSync(join(cwd, 'binary.yaml'), 'a\u0000\u0001');
    writeFileSync(join(cwd, 'large.yaml'), Buffer.alloc(8 * 1024 * 1024 + 1, '#'));
    expect(await lint(args)).toEqual({ code: 2, stdout: '', stderr: `error: ${error}\nfix: ${fix}\n` });
  });
});

test('a project among other files is skipped, and lint says so', async () => {
  await sampleProject(cwd, 'p');
  writeFileSync(join(cwd, 'a.yaml'), insecure());
  const { code, stdout } = await lint(['p', 'a.yaml']);
  expect(code).toBe(0);
  expect(stdout).toMatch(
    /Registration \S+ \(p\/apisvc\.yaml:\d+\): skipped: it is the configuration of a project; to check the project, use -C instead of files\n/,
  );
});

test('a file that is named twice is read once', async () => {
  writeFileSync(join(cwd, 'a.yaml'), insecure());
  expect((await lint(['a.yaml', '-f', 'a.yaml'])).stdout).not.toContain('duplicate');
});

test('several files that cannot be read have a fix each', async () => {
  const { stderr } = await lint(['a.yaml', 'b.yaml']);
  expect(stderr).toMatch(/^error: a\.yaml: [^\n]+\nb\.yaml: [^\n]+\nfix: [^\n]+ a\.yaml\.[^\n]*\n[^\n]+ b\.yaml\./);
});

describe('an APIService that is misspelled is an error', () => {
  test.each([
    ['kind: ApiService', 'apiVersion: apiregistration.k8s.io/v1\nkind: ApiService\n', 'kind ApiService of apiregistration.k8s.io/v1', 2],
    ['kind: APIServices', 'apiVersion: apiregistration.k8s.io/v1\nkind: APIServices\n', 'kind APIServices of apiregistration.k8s.io/v1', 2],
    ['another group', 'apiVersion: v1\nkind: APIService\n', 'kind APIService of v1', 2],
    ['no apiVersion', 'kind: APIService\n', 'kind APIService of (none)', 1],
    ['the group', 'apiVersion: apiregistation.k8s.io/v1\nkind: APIService\n', 'apiregistation.k8s.io/v1', 1],
    ['the version', 'apiVersion: apiregistration.k8s.io/v1beta1x\nkind: APIService\n', 'apiregistration.k8s.io/v1beta1x', 1],
  ])('%s', async (_, head, what, line) => {
    const { code, stdout } = await lint(['-'], insecure(head));
    expect(code).toBe(1);
    expect(stdout).toContain(`  error registration/api-version: Kubernetes does not serve ${what}\n    at:       STDIN:${line}\n`);
    expect(stdout).toContain('Set apiVersion to apiregistration.k8s.io/v1 and kind to APIService in STDIN:');
  });
});

describe('Ctrl-C ends the wait', () => {
  /** Interrupts apisvc after it has opened the pipe `one`. */
  async function interrupted(args: readonly string[], write: (writer: FileHandle) => Promise<void>) {
    await shell('mkfifo one two', cwd);
    const { running } = startApisvc(args, { cwd });
    const writer = await open(join(cwd, 'one'), 'w');
    onTestFinished(() => writer.close());
    await write(writer);
    running.kill('SIGINT');
    expect(await running).toMatchObject({ exitCode: 130, stdout: '', stderr: 'error: interrupted' });
  }

  test('for the writer of a named pipe', () =>
    interrupted(['lint', 'one', '-f', 'two'], async (writer) => {
      await writer.write(insecure());
      await writer.close();
    }));

  test('for the end of a pipe', () => interrupted(['verify', '--from', 'one'], async () => {}));
});

test('a pipe with a writer is read as a file', async () => {
  writeFileSync(join(cwd, 'utf16.yaml'), Buffer.from(`\ufeff${insecure()}`, 'utf16le'));
  const { code, stdout } = await shell('mkfifo one; cat utf16.yaml >one & "$apisvc" lint one', cwd);
  expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining('v1.a.example.com: passes with 1 warning') });
});

describe('annotations for GitHub', () => {
  test('name a file for every API, also with several files', async () => {
    writeFileSync(join(cwd, 'a.yaml'), insecure());
    writeFileSync(join(cwd, 'b.yaml'), insecure().replaceAll('a.example', 'b.example').replace('name: a,', 'name: b,'));
    const { stdout } = await lint(['a.yaml', 'b.yaml', '-o', 'github']);
    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => /^::(\w+) (file=\S+,line=\d+),title/.exec(line)?.slice(1)),
    ).toEqual([
      ['warning', 'file=a.yaml,line=4'],
      ['warning', 'file=b.yaml,line=4'],
      ['notice', 'file=a.yaml,line=1'],
      ['notice', 'file=b.yaml,line=1'],
    ]);
  });

  test('name no file for standard input', async () => {
    expect((await lint(['-', '-o', 'github'], insecure())).stdout).not.toContain('file=');
  });
});
