import { X509Certificate } from 'node:crypto';
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { connect } from '../../src/cluster/cluster.ts';
import { getObject } from '../../src/cluster/objects.ts';
import { resources } from '../../src/cluster/resources.ts';
import { bin, plainEnv, shell } from '../cli/apisvc.ts';
import { signalAfter } from '../cluster/harness/signal-after.ts';
import { contents } from '../unit/project/folder.ts';
import { registeredDemo } from './harness.ts';

/** What `rotate` prints without changing anything, and after Ctrl-C. */

/** A sandbox with a registered project. */
async function registered() {
  const { cwd, box, run } = await registeredDemo();
  /** Starts rotate. */
  const start = (args: readonly string[], more: Readonly<Record<string, string>> = {}) => {
    const env = { ...plainEnv, ...box.env, ...more };
    return execa(bin, ['rotate', '-C', 'demo', ...args], { cwd, env, extendEnv: false, reject: false, stripFinalNewline: false });
  };
  /** Runs rotate, and presses Ctrl-C when it prints this. */
  const interrupt = (when: RegExp, ...args: string[]) => start(args, signalAfter(when, 'SIGINT'));
  const create = async (path: string, body: object) => {
    const { signal } = new AbortController();
    const cluster = await connect({ kubeconfig: box.env.KUBECONFIG }, {}, signal);
    expect(await cluster.request({ method: 'POST', path, body, signal })).toMatchObject({ status: 201 });
    cluster.close();
  };
  const secretMetadata = async () => {
    const { signal } = new AbortController();
    const cluster = await connect({ kubeconfig: box.env.KUBECONFIG }, {}, signal);
    const found = await getObject(cluster, { resource: resources.Secret, namespace: 'demo', name: 'demo-tls' }, signal);
    cluster.close();
    return found?.metadata;
  };
  return { run, start, interrupt, cwd, create, secretMetadata };
}
const states = (stdout: string): Record<string, string> =>
  Object.fromEntries(JSON.parse(stdout).steps.map(({ id, state }: { id: string; state: string }) => [id, state]));

const certificateOf = (stdout: string): { notAfter: string } => JSON.parse(stdout).to.certificate;

test('--if-expires-within changes nothing while the certificate is valid for longer, and says until when', async () => {
  const { run, cwd, secretMetadata } = await registered();
  const before = { files: contents(cwd), secret: await secretMetadata() };
  const text = await run('rotate', '-C', 'demo', '--if-expires-within', '30d');
  expect(text).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^The serving certificate is valid until \d{4}-\S+Z\. Nothing changed\.\n$/),
  });
  const ca = await run('rotate', '-C', 'demo', '--ca', '--if-expires-within', '30d');
  expect(ca).toMatchObject({ code: 0, stdout: expect.stringMatching(/until \S+Z, and the CA until \S+Z\. Nothing changed\.\n$/) });
  const { code, stdout } = await run('rotate', '-C', 'demo', '--if-expires-within', '30d', '-o', 'json');
  expect({ code, ...JSON.parse(stdout) }).toMatchObject({ code: 0, outcome: 'not-due', kind: 'leaf', steps: [] });
  expect(text.stdout).toContain(`${certificateOf(stdout).notAfter.slice(0, 19)}Z`);
  expect({ files: contents(cwd), secret: await secretMetadata() }).toEqual(before);
});

test('--if-expires-within rotates a certificate that is valid for less; a run that ends early reports its steps', async () => {
  const { run, interrupt, cwd } = await registered();
  const first = await interrupt(/==> Writing Secret/, '--if-expires-within', '400d', '-o', 'json');
  expect(first.exitCode).toBe(130);
  expect(JSON.parse(first.stdout)).toMatchObject({
    outcome: 'interrupted',
    error: { message: 'interrupted', fix: expect.stringContaining('or roll back: apisvc rotate -C demo --abort') },
  });
  expect(states(first.stdout)).toMatchObject({ issue: 'done', endpoints: 'pending', promote: 'pending', verify: 'pending' });

  const copy = join(cwd, 'copy');
  cpSync(join(cwd, 'demo'), copy, { recursive: true });
  rmSync(join(copy, 'certs', 'next'), { recursive: true });
  const refused = await run('rotate', '-C', 'copy', '-o', 'json');
  const fix =
    'Finish the rotation in the project directory where it was started: apisvc rotate -C DIR\nOr roll back in this directory: apisvc rotate -C copy --abort';
  expect({ code: refused.code, ...JSON.parse(refused.stdout) }).toMatchObject({ code: 1, outcome: 'failed', steps: [], error: { fix } });

  const plan = await run('rotate', '-C', 'demo', '--abort', '--dry-run');
  expect(plan).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^Plan to roll back the serving certificate; nothing was changed:\n/),
  });
  const { stdout } = await run('rotate', '-C', 'demo', '--abort', '--dry-run', '-o', 'json');
  const served = (file: string): string => new X509Certificate(readFileSync(join(cwd, 'demo', 'certs', file))).fingerprint256;
  expect(JSON.parse(stdout)).toMatchObject({
    outcome: 'planned',
    restored: { certificate: { sha256: served('tls.crt') } },
    withdrawn: { certificate: { sha256: served('next/tls.crt') } },
  });
});

test('a certificate that is not issued yet is not in the plan, and a result that cannot be written is complete', async () => {
  const { run, cwd, box } = await registeredDemo();
  const { code, stdout } = await run('rotate', '-C', 'demo', '--dry-run', '-o', 'json');
  expect({ code, ...JSON.parse(stdout) }).toMatchObject({ code: 0, outcome: 'planned', from: { certificate: {} } });
  expect(JSON.parse(stdout)).not.toHaveProperty('to');
  if (process.platform !== 'linux') return;
  expect(await shell(`KUBECONFIG=${box.env.KUBECONFIG} "$apisvc" rotate -q -C demo > /dev/full`, cwd)).toEqual({
    ...{ code: 70, stdout: '' },
    stderr:
      'error: failed to write stdout: no space left on the device\nfix: The rotation is complete. To check the API: apisvc verify -C demo\n',
  });
});

test('certs/next that is not complete is removed by --abort, at any step', async () => {
  const { run, interrupt, cwd } = await registered();
  const next = join(cwd, 'demo', 'certs', 'next');
  mkdirSync(next);
  const status = await run('status', '-C', 'demo');
  expect(status.stdout).toContain('demo/certs/next is left over from a rotation that is not complete\n');
  expect(status.stdout).toContain('  apisvc rotate -C demo --abort\n');
  expect(status.stdout).not.toContain('  apisvc rotate -C demo\n');
  expect(await run('rotate', '-C', 'demo')).toMatchObject({ code: 2, stderr: expect.stringContaining('apisvc rotate -C demo --abort') });
  expect(await run('rotate', '-C', 'demo', '--abort')).toMatchObject({ code: 0 });
  expect(contents(join(cwd, 'demo'))).not.toContain('certs/next');
  await interrupt(/==> Writing Secret/);
  rmSync(join(next, 'tls.key'));
  expect(await run('rotate', '-C', 'demo', '--abort')).toMatchObject({ code: 0 });
  expect(contents(join(cwd, 'demo'))).not.toContain('certs/next');
  expect(await run('rotate', '-C', 'demo')).toMatchObject({ code: 0 });
});

test('status fails for certificates of the project that cannot be read', async () => {
  const { run, cwd } = await registered();
  const certs = join(cwd, 'demo', 'certs');
  expect(await run('status', '-C', 'demo')).toMatchObject({ code: 0 });
  writeFileSync(join(certs, 'ca.crt'), 'no PEM');
  rmSync(join(certs, 'tls.crt'));
  mkdirSync(join(certs, 'tls.crt'));
  expect(await run('status', '-C', 'demo')).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(
      /ca\.crt: no certificate found\n[\s\S]*files that cannot be read: demo\/certs\/ca\.crt, demo\/certs\/tls\.crt\n/,
    ),
  });
  renameSync(certs, join(cwd, 'demo', '.certs.new'));
  expect(await run('status', '-C', 'demo')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('fix: Finish the rotation: apisvc rotate -C demo'),
  });
});

test('lost certificates are restored from the cluster', async () => {
  const { run, cwd } = await registered();
  const certs = join(cwd, 'demo', 'certs');
  const served = readFileSync(join(certs, 'tls.crt'), 'utf8');
  for (const name of ['tls.crt', 'tls.key']) rmSync(join(certs, name));
  expect(await run('rotate', '-C', 'demo', '--if-expires-within', '1d')).toMatchObject({
    code: 0,
    stderr: expect.stringContaining('note: demo/certs/tls.crt not found; restored it from Secret demo/demo-tls\n'),
  });
  expect(readFileSync(join(certs, 'tls.crt'), 'utf8')).toBe(served);
  expect(await run('rotate', '-C', 'demo')).toMatchObject({ code: 0 });

  rmSync(certs, { recursive: true });
  expect(await run('rotate', '-C', 'demo', '--ca', '--dry-run')).toMatchObject({ code: 0 });
  expect(contents(join(cwd, 'demo'))).not.toContain('certs/tls.crt');
  expect(await run('rotate', '-C', 'demo')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('fix: Restore the file, or pass the key with --keys. To create a new CA: apisvc rotate -C demo --ca\n'),
  });
  expect(contents(join(cwd, 'demo'))).toEqual(expect.arrayContaining(['certs/ca.crt', 'certs/tls.crt']));
});

test('a lost certs/ca.crt is restored from the caBundle, also without tls.key', async () => {
  const { run, cwd } = await registered();
  const certs = join(cwd, 'demo', 'certs');
  const authority = readFileSync(join(certs, 'ca.crt'), 'utf8');
  for (const name of ['ca.crt', 'tls.key']) rmSync(join(certs, name));
  const note = 'note: demo/certs/ca.crt not found; restored it from the caBundle\n';
  const planned = await run('rotate', '-C', 'demo', '--dry-run');
  expect(planned).toMatchObject({ code: 0, stdout: expect.stringContaining('Plan to rotate the serving certificate') });
  expect(contents(join(cwd, 'demo'))).not.toContain('certs/ca.crt');
  expect(await run('rotate', '-C', 'demo')).toMatchObject({ code: 0, stderr: expect.stringContaining(note) });
  expect(readFileSync(join(certs, 'ca.crt'), 'utf8')).toBe(authority);

  rmSync(join(certs, 'ca.crt'));
  expect(await run('init', 'other', '--preset', 'demo', '--yes')).toMatchObject({ code: 0 });
  for (const name of ['tls.crt', 'tls.key']) cpSync(join(cwd, 'other', 'certs', name), join(certs, name));
  expect(await run('rotate', '-C', 'demo')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining(
      'error: demo/certs/ca.crt not found, and no caBundle has the CA that signed demo/certs/tls.crt; rotate needs the certificate of the CA to sign the new serving certificate\nfix: Restore the file. To create a new CA: apisvc rotate -C demo --ca\n',
    ),
  });
});

test('near the end of the CA, a rotation of the certificate advises a new CA or a shorter lifetime', async () => {
  const { run, cwd } = await registered();
  const configuration = join(cwd, 'demo', 'apisvc.yaml');
  const text = readFileSync(configuration, 'utf8');
  writeFileSync(configuration, text.replace('lifetime: 365d', 'lifetime: 3650d'));
  const ended = await run('rotate', '-C', 'demo');
  expect(ended).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(
      /error: the CA CN=\S+ CA expires on \S+, before the new certificate would expire \(\S+\)\nfix: To create a new CA: apisvc rotate -C demo --ca\nOr set spec\.certificates\.lifetime in demo\/apisvc\.yaml to at most 3649d\.\n$/,
    ),
  });
});

test('a rotation whose new certificate has expired is discarded, and then another one works', async () => {
  const { run, cwd, create } = await registered();
  const certs = join(cwd, 'demo', 'certs');
  const sameCa = ['--ca-cert', 'demo/certs/ca.crt', '--ca-key', 'demo/certs/ca.key'];
  expect(await run('init', 'next', '--preset', 'demo', '--yes', ...sameCa)).toMatchObject({ code: 0 });
  const file = join(cwd, 'next', 'apisvc.yaml');
  writeFileSync(file, readFileSync(file, 'utf8').replace('lifetime: 365d', 'lifetime: 3s'));
  expect(await run('init', 'next', '--yes', '--force-keys', ...sameCa)).toMatchObject({ code: 0 });
  renameSync(join(cwd, 'next', 'certs'), join(certs, 'next'));
  const certificate = (name: string): X509Certificate => new X509Certificate(readFileSync(join(certs, name)));
  const { validTo, fingerprint256: newCertificate } = certificate('next/tls.crt');
  const rotation = {
    ...{ kind: 'leaf', direction: 'forward', step: 'secret', number: 2, steps: 4, title: 'Writing', holder: 'alice@laptop' },
    ...{ started: '2026-05-01T10:00:00.123Z', oldCertificate: certificate('tls.crt').fingerprint256, newCertificate },
  };
  const annotations = { 'apisvc.dev/registration': 'demo/demo', 'apisvc.dev/rotation': JSON.stringify(rotation) };
  const metadata = { name: 'apisvc-rotation-demo', namespace: 'demo', annotations };
  await create('/apis/coordination.k8s.io/v1/namespaces/demo/leases', {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata,
    spec: { holderIdentity: '' },
  });
  await expect.poll(() => Date.now(), { timeout: 20_000 }).toBeGreaterThan(Date.parse(validTo) + 1_000);
  const refused = await run('rotate', '-C', 'demo');
  expect(refused).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/error: the new certificate expired on [\s\S]*rotate -C demo --abort/),
  });
  expect(await run('rotate', '-C', 'demo', '--abort')).toMatchObject({ code: 0 });
  expect(await run('rotate', '-C', 'demo')).toMatchObject({ code: 0 });
});

test('a lifetime that is too short for a rotation is refused before the first write', async () => {
  const { run, cwd, secretMetadata } = await registered();
  const file = join(cwd, 'demo', 'apisvc.yaml');
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.replace('lifetime: 365d', 'lifetime: 90s'));
  const before = { files: contents(cwd), secret: await secretMetadata() };
  const fix = 'nothing was changed\nfix: Set a longer spec.certificates.lifetime in demo/apisvc.yaml.\n';
  for (const flags of [[], ['--ca'], ['--dry-run']]) {
    expect(await run('rotate', '-C', 'demo', ...flags)).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        new RegExp(`error: the new certificate would expire after (8\\d|9[01])s, but a rotation may take .*\n${fix}$`),
      ),
    });
  }
  expect({ files: contents(cwd), secret: await secretMetadata() }).toEqual(before);
});

test('while another process rotates, --dry-run is refused as rotate is', async () => {
  const { run, start } = await registered();
  const running = start(['--ca', '--dry-run', '-o', 'json']);
  const steps = JSON.parse((await running).stdout).steps.map(({ id }: { id: string }) => id);
  expect(steps.slice(-2)).toEqual(['promote', 'verify']);
  // Without Leases of kube-apiservers, it waits for two minutes.
  let isWaiting = () => {};
  const waiting = new Promise<void>((resolve) => {
    isWaiting = resolve;
  });
  const rotating = start(['--ca']);
  rotating.stderr.on('data', (chunk) => String(chunk).includes('==> Waiting for every kube-apiserver') && isWaiting());
  await waiting;
  for (const [flags, said] of [
    [[], ''],
    [['--dry-run'], 'rotate would be refused; nothing was changed\n'],
  ] as const) {
    expect(await run('rotate', '-C', 'demo', ...flags)).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(
        new RegExp(`error: .* has been rotating the certificate of Service demo/demo since \\S+Z\n${said}fix: Wait`),
      ),
    });
  }
  rotating.kill('SIGINT');
  await rotating;
});
