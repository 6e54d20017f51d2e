import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { folder } from '../unit/project/folder.ts';
import { apisvc, sampleProject } from './apisvc.ts';
import { hasTmux, terminal } from './tmux.ts';

let cwd: string;
const init = (dir: string, ...flags: string[]) =>
  apisvc(['init', dir, '--api', 'a.example.com/v1', '--image', 'x', '--yes', ...flags], { cwd });
const issuerOf = (dir: string) => parse(readFileSync(join(cwd, dir, 'apisvc.yaml'), 'utf8')).spec.certificates.issuer;

beforeEach(async () => {
  cwd = folder();
  await sampleProject(cwd);
});

describe('init --issuer', () => {
  test.each([
    ['existing-secret', [], {}],
    ['existing-secret', ['--ca-bundle', 'demo/certs/ca.crt'], { caBundleFile: '../demo/certs/ca.crt' }],
    ['cert-manager', [], {}],
    [
      'cert-manager',
      ['--issuer-ref', 'company', '--issuer-kind', 'ClusterIssuer'],
      { issuerRef: { name: 'company', kind: 'ClusterIssuer' } },
    ],
    [
      'csr',
      ['--signer', 'example.com/serving', '--cluster-trust-bundle', 'example.com:serving:ca'],
      { signerName: 'example.com/serving', clusterTrustBundle: 'example.com:serving:ca' },
    ],
    ['openshift-service-ca', [], {}],
    ['insecure', [], {}],
  ] as const)('%s %j writes apisvc.yaml and no keys', async (type, flags, settings) => {
    const dir = `made-${type}-${flags.length}`;
    expect(await init(dir, '--issuer', type, ...flags)).toMatchObject({ code: 0, stderr: '' });
    expect(issuerOf(dir)).toEqual({ type, ...settings });
    expect(readdirSync(join(cwd, dir)).sort()).toEqual(['.apisvc', 'apisvc.yaml']);
    expect(await apisvc(['lint', '-C', dir], { cwd })).toMatchObject({ code: 0, stderr: '' });
  });

  test.each([
    [['--issuer', 'ca'], '--issuer ca needs --ca-cert FILE --ca-key FILE', 'Add --ca-cert FILE --ca-key FILE.'],
    [['--issuer', 'csr', '--ca-bundle', 'demo/certs/ca.crt'], '--issuer csr needs --signer NAME', 'Add --signer NAME.'],
    [
      ['--issuer', 'csr', '--signer', 'example.com/x'],
      '--issuer csr needs either --ca-bundle or --cluster-trust-bundle',
      'Pass exactly one of --ca-bundle FILE and --cluster-trust-bundle NAME.',
    ],
    [['--signer', 'example.com/x'], '--signer needs --issuer csr', 'Add --issuer csr, or remove --signer.'],
    [
      ['--ca-bundle', 'demo/certs/ca.crt'],
      '--ca-bundle needs --issuer existing-secret or --issuer csr',
      'Add --issuer existing-secret, or remove --ca-bundle.',
    ],
    [['--issuer', 'cert-manager', '--issuer-kind', 'Issuer'], '--issuer-kind needs --issuer-ref', 'Add --issuer-ref NAME.'],
    [
      ['--issuer', 'insecure', '--no-name-constraints'],
      '--no-name-constraints has no effect with --issuer insecure: apisvc creates no CA',
      'Remove --no-name-constraints.',
    ],
    [
      ['--issuer', 'existing-secret', '--ca-bundle', 'demo/certs/tls.key'],
      'demo/certs/tls.key: expected a certificate, found a private key',
      'Correct the init flag --ca-bundle, or spec.certificates.issuer.caBundleFile in refused/apisvc.yaml.',
    ],
    [
      ['--issuer', 'cert-manager', '--ca-cert', 'demo/certs/ca.crt', '--ca-key', 'demo/certs/ca.key'],
      '--issuer cert-manager cannot be used with --ca-cert',
      'Remove --issuer, or remove --ca-cert and --ca-key.',
    ],
  ])('%j is refused', async (flags, message, fix) => {
    expect(await init('refused', ...flags)).toEqual({ code: 2, stdout: '', stderr: `error: ${message}\nfix: ${fix}\n` });
    expect(existsSync(join(cwd, 'refused'))).toBe(false);
  });

  test('--force-keys does not make keys that others make', async () => {
    await init('others', '--issuer', 'cert-manager');
    expect(await apisvc(['init', 'others', '--force-keys'], { cwd })).toEqual({
      code: 2,
      stdout: '',
      stderr:
        'error: --force-keys cannot be used with the issuer type "cert-manager": cert-manager generates the private key\nfix: Remove --force-keys.\n',
    });
  });
});

describe.skipIf(!hasTmux)('the prompt for the issuer', () => {
  test('says what each means, never offers insecure, and asks what it needs', async () => {
    const screen = terminal('apisvc init asked --api a.example.com/v1 --name x --namespace x --service x', cwd);
    await screen.until(/\? Container image/);
    screen.type('x', 'Enter');
    const list = await screen.until(/\? Issuer of the serving certificate/);
    expect(list).not.toContain('insecure');
    screen.type('Down');
    await screen.until(/❯ ca\b[\s\S]*Your own CA signs the certificate/);
    screen.type('Down');
    await screen.until(/❯ existing-secret[\s\S]*Another tool writes the Secret/);
    screen.type('Down');
    await screen.until(/❯ cert-manager[\s\S]*cert-manager issues and renews/);
    screen.type('Down');
    await screen.until(/❯ csr[\s\S]*A signer of the Kubernetes certificates API/);
    screen.type('Enter');
    await screen.until(/\? Name of the signer/);
    screen.type('example.com/serving', 'Enter');
    await screen.until(/\? CA certificates of the signer/);
    screen.type('demo/certs/ca.crt', 'Enter');
    const plan = await screen.until(/\? Write these 2 files\?/);
    expect(plan.replaceAll('\n', '')).toContain('--issuer csr --signer example.com/serving --ca-bundle demo/certs/ca.crt');
    screen.type('Enter');
    await screen.until(/exit code 0/);
    expect(issuerOf('asked')).toEqual({ type: 'csr', signerName: 'example.com/serving', caBundleFile: '../demo/certs/ca.crt' });
  });
});

test.each([
  [
    'existing-secret',
    'another tool writes Secret x/x-tls, and apisvc does not have the CA',
    /^fix: Renew the certificate with the tool that writes the Secret\./m,
  ],
  [
    'openshift-service-ca',
    "OpenShift's service CA operator renews the certificate in Secret x/x-tls",
    /^fix: .*kubectl -n x delete secret x-tls$/m,
  ],
  [
    'insecure',
    'kube-apiserver does not verify the serving certificate (insecureSkipTLSVerify), so apisvc has no certificate to rotate',
    /^fix: .*: apisvc init rotate-insecure --force-keys && apisvc register -C rotate-insecure$/m,
  ],
])('rotate refuses with %s, and names the way', async (type, why, fix) => {
  const dir = `rotate-${type}`;
  await init(dir, '--issuer', type, '--name', 'x', '--namespace', 'x', '--service', 'x');
  const { code, stdout, stderr } = await apisvc(['rotate', '-C', dir], { cwd });
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toContain(`error: apisvc does not rotate this certificate: ${why}\n`);
  expect(stderr).toMatch(fix);
});

test('rotate names all flags that cert-manager leaves no meaning', async () => {
  await init('renewed', '--issuer', 'cert-manager');
  expect(await apisvc(['rotate', '-C', 'renewed', '--keys', 'x', '--force-conflicts'], { cwd })).toEqual({
    code: 2,
    stdout: '',
    stderr:
      'error: --keys, --force-conflicts cannot be used with the issuer type "cert-manager": cert-manager manages the private keys, and replaces the certificate\nfix: Remove --keys, --force-conflicts.\n',
  });
});

test('register makes the key where a signer in the cluster signs', async () => {
  await init('requested', '--issuer', 'csr', '--signer', 'example.com/serving', '--ca-bundle', 'demo/certs/ca.crt');
  expect(await apisvc(['init', 'requested', '--force-keys'], { cwd })).toEqual({
    code: 2,
    stdout: '',
    stderr:
      'error: --force-keys cannot be used with the issuer type "csr": register generates the private key\nfix: Remove --force-keys.\n',
  });
  const { code, stdout, stderr } = await apisvc(['render', '-C', 'requested'], { cwd });
  expect(code).toBe(0);
  expect(stderr).toMatch(/^note: Secret \S+ is not rendered, because the project has no certificate\n$/);
  expect(stdout).toMatch(/^ {2}caBundle: /m);
  expect(await apisvc(['register', '--dry-run=client', '-C', 'requested'], { cwd })).toMatchObject({
    code: 0,
    stdout: expect.not.stringContaining('secret/'),
    stderr: expect.stringContaining('tls.key not found; the Secret in the cluster would stay unchanged'),
  });
});

test('render says that only the cluster has the CA', async () => {
  await init('unknown-ca', '--issuer', 'existing-secret');
  const { code, stdout, stderr } = await apisvc(['render', '-C', 'unknown-ca'], { cwd });
  expect({ code, stderr }).toEqual({
    code: 0,
    stderr:
      'note: the APIServices are rendered without a caBundle, because their CA is only in the cluster; apisvc register adds the caBundle\n',
  });
  expect(stdout).not.toMatch(/^kind: Secret|caBundle:/m);
});
