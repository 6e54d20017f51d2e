import { X509Certificate } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, onTestFinished, test } from 'vitest';
import { type Cluster, connect } from '../../src/cluster/cluster.ts';
import { getObject } from '../../src/cluster/objects.ts';
import { resourcePath, resources } from '../../src/cluster/resources.ts';
import { projectFiles } from '../../src/project/project.ts';
import { apisvc, bin, plainEnv } from '../cli/apisvc.ts';
import { signalAfter } from '../cluster/harness/signal-after.ts';
import { keyTraces, tracesIn } from '../unit/pki/key-traces.ts';
import { emptyFolder, startSandbox } from './harness.ts';
import { name, renewLease } from './installed.ts';

/** The private key of the CA in a Secret (`caKey: secret`). */

const { signal } = new AbortController();
const mergePatch = 'application/merge-patch+json';

const fingerprintOf = (certificate = ''): string => new X509Certificate(certificate).fingerprint256;

/** A project with `caKey: secret`, not registered yet, in a sandbox. */
async function madeProject() {
  const cwd = emptyFolder();
  const { env } = await startSandbox(['--empty'], cwd);
  const cluster: Cluster = await connect({ kubeconfig: env.KUBECONFIG }, {}, signal);
  onTestFinished(() => cluster.close());
  const outputs: string[] = [];
  const run = async (...args: string[]) => {
    const ran = await apisvc(args, { cwd, env });
    outputs.push(ran.stdout + ran.stderr);
    return ran;
  };
  expect(await run('init', 'demo', '--preset', 'demo', '--yes', '--ca-key-in', 'secret')).toMatchObject({ code: 0 });
  /** The entries of a Secret. */
  const secret = async (of = 'demo-ca'): Promise<Record<string, string>> => {
    const found = await getObject(cluster, { resource: resources.Secret, namespace: 'demo', name: of }, signal);
    const data = Object.entries((found as { data?: Record<string, string> } | undefined)?.data ?? {});
    return Object.fromEntries(data.map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]));
  };
  const patch = (path: string, body: object) => cluster.request({ method: 'PATCH', path, contentType: mergePatch, body, signal });
  const secretPath = resourcePath(resources.Secret, 'demo', 'demo-ca');
  /** The command is killed as soon as it prints a line. Its Lease ends soon. */
  const killAt = async (line: string, ...args: string[]): Promise<void> => {
    const killed = { ...plainEnv, ...env, ...signalAfter(new RegExp(`==> ${line}`), 'SIGKILL') };
    const options = { cwd, env: killed, extendEnv: false, reject: false, stdin: 'ignore' } as const;
    const { signal: by, stderr } = await execa(bin, args, options);
    expect({ by, stderr }).toMatchObject({ by: 'SIGKILL' });
    outputs.push(stderr);
    await patch(resourcePath(resources.Lease, 'demo', 'apisvc-rotation-demo'), { spec: { leaseDurationSeconds: 1 } });
  };
  /** A checkout of Git: git ignores the keys. */
  const clone = (to: string): string => {
    cpSync(join(cwd, 'demo'), join(cwd, to), { recursive: true });
    for (const key of ['tls.key', 'ca.key']) rmSync(join(cwd, to, 'certs', key), { force: true });
    return to;
  };
  const files = (dir: string) => projectFiles(join(cwd, dir));
  return { cwd, run, secret, patch, secretPath, cluster, killAt, clone, files, outputs };
}

async function registeredProject() {
  const made = await madeProject();
  expect(await made.run('register', '-C', 'demo')).toMatchObject({ code: 0 });
  return made;
}

test('register moves the key to the Secret, also after it was killed in between, and no command prints it', async () => {
  const { run, secret, killAt, files, outputs, cluster } = await madeProject();
  const key = readFileSync(files('demo').caKey, 'utf8');
  for (const flags of [['--dry-run', 'client'], ['--dry-run', 'server'], ['--diff']]) {
    expect((await run('register', '-C', 'demo', ...flags)).stdout).toContain('secret/demo/demo-ca');
  }
  await killAt('Removing certs/ca.key', 'register', '-C', 'demo');
  expect(readFileSync(files('demo').caKey, 'utf8')).toBe(key);
  expect(await secret()).toEqual({ 'tls.crt': readFileSync(files('demo').caCertificate, 'utf8'), 'tls.key': key });

  expect(await run('register', '-C', 'demo')).toMatchObject({ code: 0 });
  expect(existsSync(files('demo').caKey)).toBe(false);
  expect((await secret())['tls.key']).toBe(key);
  expect(await getObject(cluster, { resource: resources.Secret, namespace: 'demo', name: 'demo-ca' }, signal)).toMatchObject({
    type: 'kubernetes.io/tls',
    metadata: { labels: { 'app.kubernetes.io/managed-by': 'apisvc' }, annotations: { 'apisvc.dev/registration': 'demo/demo' } },
  });

  expect(await run('register', '-C', 'demo')).toMatchObject({ code: 0, stdout: expect.stringContaining('Nothing changed') });
  for (const args of [['verify', '-o', 'json'], ['status', '-o', 'json'], ['lint'], ['render', '--secrets', 'include']]) {
    expect(await run(...args, '-C', 'demo')).toMatchObject({ code: 0, stdout: expect.not.stringContaining('demo-ca') });
  }
  expect(await run('unregister', '-C', 'demo', '--yes', '--keep-secrets')).toMatchObject({ code: 0 });
  expect((await secret())['tls.key']).toBe(key);
  expect(await run('register', '-C', 'demo')).toMatchObject({ code: 0 });
  const copy =
    'note: Secret demo/demo-ca has the only copy of the private key of the CA, which is deleted too; to keep it, use --keep-secrets';
  const said = { code: 0, stderr: expect.stringContaining(copy) };
  expect(await run('unregister', '-C', 'demo', '--dry-run', 'client')).toMatchObject(said);
  expect(await run('unregister', name, '--yes')).toMatchObject(said);
  expect(await secret()).toEqual({});
  expect(tracesIn(outputs.join('\n'), keyTraces(key))).toEqual([]);
});

test('register says that it replaces the key of an older CA, whose API is gone', async () => {
  const { run, secret, cluster } = await registeredProject();
  const { 'tls.key': key } = await secret();
  await cluster.request({ method: 'DELETE', path: resourcePath(resources.APIService, undefined, name), signal });
  expect(await run('init', 'demo', '--force-keys')).toMatchObject({ code: 0 });
  const said = 'note: Secret demo/demo-ca has the private key of an older CA; replacing it with the key in demo/certs/ca.key';
  expect(await run('register', '-C', 'demo')).toMatchObject({ code: 0, stderr: expect.stringContaining(said) });
  expect((await secret())['tls.key']).not.toBe(key);
});

test('rotate signs with the key in the Secret, and no other copy reports drift', async () => {
  const { cwd, run, secret, clone, files, outputs } = await registeredProject();
  const { 'tls.key': key = '' } = await secret();
  clone('copy');
  expect(await run('rotate', '-C', 'copy')).toMatchObject({ code: 0 });
  expect(existsSync(files('copy').caKey)).toBe(false);
  expect((await secret())['tls.key']).toBe(key);

  // The first copy has the older certificate and its key.
  expect(await run('status', '-C', 'demo')).toMatchObject({ code: 0 });
  expect(await run('verify', '-C', 'demo', '--strict')).toMatchObject({ code: 0 });
  const newer =
    'note: Secret demo/demo-tls has a newer certificate of the same CA than demo/certs/tls.crt; using the certificate in the Secret';
  expect(await run('register', '-C', 'demo')).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('Nothing changed'),
    stderr: expect.stringContaining(newer),
  });
  // The file may be the only copy of a key.
  const own = readFileSync(files('demo').key, 'utf8');
  writeFileSync(files('demo').key, key);
  expect(await run('rotate', '-C', 'demo')).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/^error: demo\/certs\/tls\.key: .*; a rotation would delete the file\nnothing was changed$/m),
  });
  expect(readFileSync(files('demo').key, 'utf8')).toBe(key);
  writeFileSync(files('demo').key, own);
  expect(await run('rotate', '-C', 'demo')).toMatchObject({ code: 0, stderr: expect.stringContaining(newer) });
  expect(await run('status', '-C', 'demo')).toMatchObject({ code: 0 });

  // Only the configuration, as in a pod.
  mkdirSync(join(cwd, 'pod'));
  writeFileSync(files('pod').configuration, readFileSync(files('demo').configuration));
  expect(await run('rotate', '-C', 'pod', '--if-expires-within', '30d')).toMatchObject({ code: 0 });
  expect(await run('rotate', '-C', 'pod', '--if-expires-within', '1000d')).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('Rotated the serving certificate.'),
  });
  expect(tracesIn(outputs.join('\n'), keyTraces(key))).toEqual([]);
});

test.each([
  ['after the Secret was written', 'Waiting until every endpoint', /note: continuing the rotation of the serving certificate/],
  ['before the Secret was written', 'Writing Secret', /==> Issuing a serving certificate/],
])('rotate goes on %s, without the files of the run that was killed', async (_, line, expected) => {
  const { cwd, run, killAt, clone, files, secret } = await registeredProject();
  await killAt(line, 'rotate', '-C', clone('killed'));
  rmSync(join(cwd, 'killed'), { recursive: true });
  expect(await run('rotate', '-C', clone('other'))).toMatchObject({ code: 0, stderr: expect.stringMatching(expected) });
  expect((await secret('demo-tls'))['tls.crt']).toBe(readFileSync(files('other').certificate, 'utf8'));
  expect(await run('status', '-C', 'other')).toMatchObject({ code: 0 });
});

test('in a pod, which has no files of the run that was killed, the old certificate is not forgotten', async () => {
  const { cwd, run, killAt, files, secret } = await registeredProject();
  const old = fingerprintOf((await secret('demo-tls'))['tls.crt']);
  const inPod = (name: string): string => {
    mkdirSync(join(cwd, name));
    writeFileSync(files(name).configuration, readFileSync(files('demo').configuration));
    return name;
  };
  await killAt('Waiting until every endpoint', 'rotate', '-C', inPod('first'));
  await killAt('Moving certs/next to certs', 'rotate', '-C', inPod('second'));
  expect(await run('rotate', '--abort', '--dry-run', '-C', 'demo')).toMatchObject({ code: 0 });
  // As the CronJob does. The new certificate is not due, but the rotation is not complete.
  const { code, stdout } = await run('rotate', '-C', inPod('third'), '--if-expires-within', '30d');
  expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining(`\n  old: SHA-256 ${old}\n  new: `) });
});

test('rotate says what is wrong with the Secret', async () => {
  const { cwd, run, patch, secretPath, cluster, clone, files } = await registeredProject();
  const copy = clone('copy');
  const forbidden = await run('rotate', '-C', copy, '--as', 'jane');
  expect(forbidden).toMatchObject({ code: 3, stderr: expect.stringContaining('resourceNames: ["demo-ca"], verbs: [get]') });

  const expectRefusal = async (message: string): Promise<void> => {
    const text = `error: Secret demo/demo-ca ${message}; rotate needs the private key of the CA to sign the new serving certificate\nnothing was changed\n`;
    const refused = await run('rotate', '-C', copy);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining(text) });
    expect(refused.stderr).toMatch(/To create a new CA: apisvc rotate .*--ca/);
  };
  expect(await apisvc(['init', 'theirs', '--preset', 'demo', '--yes'], { cwd })).toMatchObject({ code: 0 });
  const base64 = (path: string): string => readFileSync(path).toString('base64');
  await patch(secretPath, { data: { 'tls.crt': base64(files('theirs').caCertificate), 'tls.key': base64(files('theirs').caKey) } });
  await expectRefusal('has a private key that does not match certs/ca.crt');
  await patch(secretPath, { data: { 'tls.key': '' } });
  await expectRefusal('has no CA private key');
  await cluster.request({ method: 'DELETE', path: secretPath, signal });
  await expectRefusal('not found');
  expect((await run('rotate', '-C', copy)).stderr).toContain('register from the directory of that copy: apisvc register -C DIR\n');
});

test('register replaces neither the Secret of others nor the key of a newer CA', async () => {
  const { cwd, run, patch, secretPath, secret, files, cluster } = await registeredProject();
  const { 'tls.key': key } = await secret();
  expect(await apisvc(['init', 'theirs', '--preset', 'demo', '--yes'], { cwd })).toMatchObject({ code: 0 });
  cpSync(files('theirs').caKey, files('demo').caKey);
  expect(await run('register', '-C', 'demo')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('error: demo/certs/ca.key: the private key does not match demo/certs/ca.crt\n'),
  });
  rmSync(files('demo').caKey);
  cpSync(join(cwd, 'demo', 'certs'), join(cwd, 'older'), { recursive: true });
  writeFileSync(join(cwd, 'older', 'ca.key'), key ?? '', { mode: 0o600 });

  // A CA is as old as its certificate, to the second.
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  expect(await run('init', 'demo', '--force-keys')).toMatchObject({ code: 0 });
  // register would not replace the CA of an API that works.
  await cluster.request({ method: 'DELETE', path: resourcePath(resources.APIService, undefined, name), signal });
  expect(await run('register', '-C', 'demo', '--only', 'secrets')).toMatchObject({ code: 0 });
  const newer = await secret();
  expect(newer['tls.key']).not.toBe(key);
  expect(existsSync(files('demo').caKey)).toBe(false);

  cpSync(join(cwd, 'demo', 'certs'), join(cwd, 'newer'), { recursive: true });
  writeFileSync(join(cwd, 'newer', 'ca.key'), newer['tls.key'] ?? '', { mode: 0o600 });
  const register = (certs: string) => {
    rmSync(join(cwd, 'demo', 'certs'), { recursive: true });
    cpSync(join(cwd, certs), join(cwd, 'demo', 'certs'), { recursive: true });
    return run('register', '-C', 'demo', '--only', 'secrets');
  };
  // With it, the copy is outdated for another reason.
  await cluster.request({ method: 'DELETE', path: resourcePath(resources.Secret, 'demo', 'demo-tls'), signal });
  expect(await register('older')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('Secret demo/demo-ca has the private key of a newer CA than demo/certs/ca.key\n'),
  });
  await patch(secretPath, { metadata: { annotations: { 'apisvc.dev/registration': null } } });
  expect(await register('newer')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('Secret demo/demo-ca already exists, but does not belong to this project\n'),
  });
  expect(await secret()).toEqual(newer);
  expect(existsSync(files('demo').caKey)).toBe(true);
});

test('rotate --ca keeps the next key beside the current one until the old CA lost its trust', async () => {
  const { cwd, run, secret, killAt, clone, files, cluster, outputs } = await registeredProject();
  await renewLease(cluster);
  const { 'tls.key': old = '', 'tls.crt': oldCa } = await secret();
  const copy = clone('copy');
  const next = join(cwd, copy, 'certs', 'next', 'ca.key');
  const [writing, trusting] = ['Writing the private key of the new CA', 'Trusting both CAs'];
  for (const line of [writing, trusting]) {
    await killAt(line, 'rotate', '--ca', '-C', copy);
    const ca = await secret();
    // In one place at least, and the current key stays where it is.
    expect({ current: ca['tls.key'], next: ca['next.key'] !== undefined || existsSync(next) }).toEqual({ current: old, next: true });
  }
  expect(existsSync(next)).toBe(false);
  expect(await run('rotate', '--abort', '-C', clone('other'))).toMatchObject({ code: 0 });
  expect(await secret()).toEqual({ 'tls.crt': oldCa, 'tls.key': old });
  // The new key is gone, so that nobody could sign by the new CA.
  const lost =
    'error: neither certs/next/ca.key nor Secret demo/demo-ca has the private key of the new CA\nnothing in the cluster was changed\n';
  expect(await run('rotate', '-C', copy)).toMatchObject({ code: 1, stderr: expect.stringContaining(lost) });
  expect(await run('rotate', '--abort', '-C', copy)).toMatchObject({ code: 0 });
  expect(await secret()).toEqual({ 'tls.crt': oldCa, 'tls.key': old });

  await killAt('Replacing the CA in Secret demo/demo-ca', 'rotate', '--ca', '-C', copy, '--soak', '1s');
  expect(await secret()).toMatchObject({ 'next.key': expect.stringContaining('PRIVATE KEY') });
  expect(await run('rotate', '--abort', '-C', copy)).toMatchObject({ code: 1 });
  expect(await run('rotate', '-C', copy, '--soak', '1s')).toMatchObject({ code: 0 });
  const { 'tls.key': key = '', ...rest } = await secret();
  expect(rest).toEqual({ 'tls.crt': readFileSync(files(copy).caCertificate, 'utf8') });
  expect(key).not.toBe(old);
  expect(existsSync(files(copy).caKey)).toBe(false);

  // The next certificate is signed by the new CA. A lost key needs a new CA, whose Secret is made.
  expect(await run('rotate', '-C', copy)).toMatchObject({ code: 0 });
  expect(tracesIn(outputs.join('\n'), [old, key].flatMap(keyTraces))).toEqual([]);
});
