import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { connect } from '../../src/cluster/cluster.ts';
import { getObject } from '../../src/cluster/objects.ts';
import { resources } from '../../src/cluster/resources.ts';
import { createAuthority } from '../../src/pki/authority.ts';
import { apisvc, bin, plainEnv } from '../cli/apisvc.ts';
import { signalAfter } from '../cluster/harness/signal-after.ts';
import { keyTraces, tracesIn } from '../unit/pki/key-traces.ts';
import { contents } from '../unit/project/folder.ts';
import { emptyFolder, startSandbox } from './harness.ts';

/** A project without private keys, as in a clone, and its keys in another directory. */
async function cloned(...flags: readonly string[]) {
  const cwd = emptyFolder();
  const { env } = await startSandbox(['--empty'], cwd);
  const outputs: string[] = [];
  const run = async (args: readonly string[], input = '') => {
    const ran = await apisvc([...args, '-C', 'demo'], { cwd, env, input });
    outputs.push(ran.stdout + ran.stderr);
    return ran;
  };
  expect(await apisvc(['init', 'demo', '--preset', 'demo', '--yes', ...flags], { cwd })).toMatchObject({ code: 0 });
  const keys = join(cwd, 'keys');
  mkdirSync(keys);
  for (const name of flags.length > 0 ? ['tls.key'] : ['tls.key', 'ca.key']) renameSync(join(cwd, 'demo', 'certs', name), join(keys, name));
  const pem = (name: string): string => readFileSync(join(keys, name), 'utf8');
  const keyInCluster = async () => {
    const { signal } = new AbortController();
    const cluster = await connect({ kubeconfig: env.KUBECONFIG }, {}, signal);
    const secret = await getObject(cluster, { resource: resources.Secret, namespace: 'demo', name: 'demo-tls' }, signal);
    cluster.close();
    return Buffer.from(String((secret as { data?: Record<string, string> } | undefined)?.data?.['tls.key'] ?? ''), 'base64').toString();
  };
  const certs = () => contents(join(cwd, 'demo')).filter((path) => path.endsWith('.key'));
  return { cwd, env, run, keys, pem, keyInCluster, certs, outputs };
}

test('the first register in a cluster takes the key from elsewhere, and rotate the key of the CA', async () => {
  const { run, keys, pem, keyInCluster, certs, outputs, cwd } = await cloned();
  expect(await run(['register'])).toMatchObject({ code: 2, stdout: '' });
  expect(await keyInCluster()).toBe('');

  expect(await run(['register', '--keys', keys])).toMatchObject({
    code: 0,
    stderr: expect.not.stringContaining('note: demo/certs/tls.key'),
  });
  expect(await keyInCluster()).toBe(pem('tls.key'));
  expect(await run(['register', '--keys', '-'], pem('ca.key') + pem('tls.key'))).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('Nothing changed'),
  });
  expect(certs()).toEqual([]);

  // Without the key of the CA, rotate says where it is missing.
  const needed =
    'rotate needs the private key of the CA to sign the new serving certificate\nfix: Pass the private key of the CA with --keys, too. To create a new CA:';
  const serving = join(keys, 'serving');
  mkdirSync(serving);
  writeFileSync(join(serving, 'tls.key'), pem('tls.key'), { mode: 0o600 });
  expect((await run(['rotate', '--keys', serving])).stderr).toContain(`error: ${serving}/ca.key not found; ${needed}`);
  const piped = await run(['rotate', '--keys', '-'], pem('tls.key'));
  expect(piped.stderr).toContain(`error: standard input: found no private key that matches demo/certs/ca.crt; ${needed}`);

  const rotated = await run(['rotate', '--keys', '-'], pem('tls.key') + pem('ca.key'));
  expect(rotated).toMatchObject({ code: 0, stderr: expect.not.stringContaining('restored') });
  expect(certs()).toEqual(['certs/tls.key']);
  const next = readFileSync(join(cwd, 'demo', 'certs', 'tls.key'), 'utf8');
  expect(await keyInCluster()).toBe(next);
  expect(next).not.toBe(pem('tls.key'));

  // The keys of another rotation than the certificates of the project.
  const old = await run(['register', '--keys', keys]);
  expect(old).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('keys/tls.key: the private key does not match demo/certs/tls.crt\n'),
  });
  writeFileSync(join(keys, 'tls.key'), next);
  expect(await run(['register', '--keys', keys])).toMatchObject({ code: 0 });

  expect(tracesIn(outputs.join('\n'), [pem('tls.key'), pem('ca.key'), next].flatMap(keyTraces))).toEqual([]);
});

test('the way back from a rotation takes the old key from elsewhere', async () => {
  const { cwd, env, run, keys, pem, keyInCluster, certs } = await cloned();
  expect(await run(['register', '--keys', keys])).toMatchObject({ code: 0 });
  const interrupted = { ...plainEnv, ...env, ...signalAfter(/==> Waiting until every endpoint/, 'SIGINT') };
  const options = { cwd, env: interrupted, extendEnv: false, reject: false } as const;
  expect(await execa(bin, ['rotate', '-C', 'demo', '--keys', keys], options)).toMatchObject({ exitCode: 130 });
  expect(await keyInCluster()).not.toBe(pem('tls.key'));
  expect(certs()).toEqual(['certs/next/tls.key']);

  expect(await run(['rotate', '--abort'])).toMatchObject({ code: 2, stdout: '' });
  expect(await run(['rotate', '--abort', '--keys', keys])).toMatchObject({ code: 0 });
  expect(await keyInCluster()).toBe(pem('tls.key'));
  expect(certs()).toEqual([]);
});

test('rotate takes the key of a CA of your own, which the project never has', async () => {
  const own = emptyFolder();
  const { certificates, key } = await createAuthority({ commonName: 'Own CA', keyType: 'ecdsa-p256', lifetimeMs: 4e11, now: new Date() });
  writeFileSync(join(own, 'ca.crt'), certificates);
  writeFileSync(join(own, 'ca.key'), key.reveal(), { mode: 0o600 });
  const { run, keys, certs } = await cloned('--ca-cert', join(own, 'ca.crt'), '--ca-key', join(own, 'ca.key'));
  expect(await run(['register', '--keys', keys])).toMatchObject({ code: 0 });
  expect(await run(['rotate', '--keys', own])).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('Rotated the serving certificate.'),
  });
  expect(certs()).toEqual(['certs/tls.key']);
});
