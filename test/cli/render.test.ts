import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parse, parseAllDocuments, parseDocument } from 'yaml';
import { contents, folder, modeOf, sharedFolder } from '../unit/project/folder.ts';
import { apisvc, apisvcWithKeys, sampleProject, shell } from './apisvc.ts';

const project = sharedFolder();
let cwd: string;
let dir: string;
beforeAll(async () => {
  await sampleProject(project);
});
beforeEach(() => {
  cwd = folder();
  dir = join(cwd, 'demo');
  cpSync(join(project, 'demo'), dir, { recursive: true });
});

// biome-ignore lint/suspicious/noExplicitAny: manifests.
const objects = (text: string): any[] => parseAllDocuments(text).map((document) => document.toJS());
const withSecret = ['render', '--secrets', 'include'];
const note = 'note: Secret wardle/api-tls is not rendered, because it contains a private key; to render it, use --secrets include\n';
const kinds = (text: string): string[] => objects(text).map(({ kind }) => kind);

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
        'removed out/040-secret.yaml, which contained the private key of an earlier render\n' +
        'note: out/999-theirs.yaml is not one of the rendered manifests\n',
    });
    expect(contents(join(dir, 'out'))).not.toContain('040-secret.yaml');
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
        'fix: Remove --ca-bundle. The default of the value leaves the caBundle to apisvc register.\n',
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
        'Otherwise create new certificates: apisvc init --force-keys\n',
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
    [[...monitor, '-n', 'Watch'], 'error: invalid namespace "Watch"\n'],
    [[...monitor, '-o', 'helm'], 'error: -o helm cannot be used with --monitor\n'],
    [[...monitor, '--secrets', 'include'], "error: option '--monitor' cannot be used with option '--secrets <choice>'"],
    [[...monitor, '-C', '.'], "error: option '--monitor' cannot be used with option '-C, --directory <dir>'"],
    [[...monitor, '--schedule', '@daily'], "error: option '--monitor' cannot be used with option '--schedule <cron>'"],
    [['render', '--cronjob', '-n', 'x'], "error: option '--cronjob' cannot be used with option '-n, --namespace <namespace>'"],
    [['render', '-n', 'watch'], 'error: --namespace needs --monitor\n'],
    [['render', '--image', 'x'], 'error: --image needs --monitor or --cronjob\n'],
    [['render', '--schedule', '@daily'], 'error: --schedule needs --cronjob\n'],
  ])('%j is refused', async (args, error) => {
    const { code, stderr } = await apisvc(args, { cwd });
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(error) });
  });
});

describe('--cronjob', () => {
  const cronJob = ['render', '--cronjob', '--image', 'registry.example.com/apisvc:1'];

  test('prints the CronJob with its RBAC and apisvc.yaml, and nothing of the project', async () => {
    const made = await apisvc(['init', 'in-cluster', '--preset', 'demo', '--yes', '--ca-key-in', 'secret'], { cwd });
    expect(made).toMatchObject({ code: 0 });
    const own = join(cwd, 'in-cluster');
    const { code, stdout, stderr } = await apisvc([...cronJob, '--schedule', '@weekly', '-o', 'json'], { cwd: own });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { items } = JSON.parse(stdout);
    expect(items.map(({ kind }: { kind: string }) => kind)).toEqual([
      ...['ServiceAccount', 'ClusterRole', 'ClusterRoleBinding', 'Role', 'RoleBinding', 'ConfigMap', 'CronJob'],
    ]);
    expect(items[5].data).toEqual({ 'apisvc.yaml': readFileSync(join(own, 'apisvc.yaml'), 'utf8') });
    expect(items[6].spec.schedule).toBe('@weekly');
    expect(await apisvc([...cronJob, '--schedule', '99 * * * *'], { cwd: own })).toEqual({
      code: 2,
      stdout: '',
      stderr:
        'error: invalid schedule "99 * * * *": end of range (99) above maximum (59): 99\n' +
        'fix: Use the five fields of cron, for example "17 3 * * *", or a macro such as @daily.\n',
    });
  });

  test('is refused where a file has the key of the CA', async () => {
    const { code, stderr } = await apisvc(cronJob, { cwd: dir });
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringContaining('error: --cronjob needs the private key of the CA in the cluster, but a file has it\n'),
    });
  });

  test.each([
    ['cert-manager', '{type: cert-manager}', 'cert-manager renews the certificate itself\n'],
    ['csr', '{type: csr, signerName: example.com/signer, caBundleFile: ca.crt}', 'a pod that rotates needs the private key of the CA\n'],
    ['existing-secret', '{type: existing-secret}', 'another tool writes Secret '],
  ])('is refused with the issuer %s, and says why', async (type, issuer, why) => {
    const own = join(cwd, `cronjob-${type}`);
    mkdirSync(own);
    const document = parseDocument(readFileSync(join(dir, 'apisvc.yaml'), 'utf8'));
    document.setIn(['spec', 'certificates', 'issuer'], parse(issuer));
    writeFileSync(join(own, 'apisvc.yaml'), String(document));
    const { code, stdout, stderr } = await apisvc(cronJob, { cwd: own });
    const error = `error: --cronjob cannot be used with the issuer type "${type}": ${why}`;
    expect({ code, stdout, stderr }).toEqual({ code: 2, stdout: '', stderr: expect.stringContaining(error) });
  });
});
