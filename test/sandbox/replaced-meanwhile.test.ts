import { once } from 'node:events';
import { cpSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { connect } from '../../src/cluster/cluster.ts';
import { getObject } from '../../src/cluster/objects.ts';
import { resources } from '../../src/cluster/resources.ts';
import { secretEntry } from '../../src/manifests/secret.ts';
import { apisvc, bin, plainEnv } from '../cli/apisvc.ts';
import { emptyFolder, startSandbox } from './harness.ts';

const { signal } = new AbortController();

test('register does not write the certificates that a rotation has replaced since it read them', async () => {
  const cwd = emptyFolder();
  const box = await startSandbox(['--empty'], cwd);
  const run = (...args: string[]) => apisvc(args, { cwd, env: box.env });
  const cluster = await connect({ kubeconfig: box.env.KUBECONFIG }, {}, signal);
  try {
    expect(await run('init', 'demo', '--preset', 'demo', '--yes')).toMatchObject({ code: 0 });
    expect(await run('register', '-C', 'demo')).toMatchObject({ code: 0 });
    const certs = join(cwd, 'demo', 'certs');
    const registered = readFileSync(join(certs, 'tls.crt'), 'utf8');
    cpSync(certs, join(cwd, 'rotated'), { recursive: true });
    // Another certificate of the same CA, which register may write.
    const sameCa = ['--ca-cert', 'demo/certs/ca.crt', '--ca-key', 'demo/certs/ca.key'];
    expect(await run('init', 'other', '--preset', 'demo', '--name', 'demo', '--yes', ...sameCa)).toMatchObject({ code: 0 });
    for (const name of ['tls.crt', 'tls.key']) cpSync(join(cwd, 'other', 'certs', name), join(certs, name));

    // The holder was killed, so that register waits between its look at the files and its writes.
    const spec = { holderIdentity: 'bob@ci_1c9d6be4-5b58-4c0e-9d5e-6f2f6f0b0b02', leaseDurationSeconds: 60 };
    const body = {
      ...{ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', spec },
      metadata: { name: 'apisvc-rotation-demo', namespace: 'demo' },
    };
    const path = '/apis/coordination.k8s.io/v1/namespaces/demo/leases';
    expect(await cluster.request({ method: 'POST', path, body, signal })).toMatchObject({ status: 201 });
    const env = { ...plainEnv, ...box.env };
    const running = execa(bin, ['register', '-C', 'demo'], { cwd, env, extendEnv: false, reject: false });
    await once(running.stderr, 'data');
    rmSync(certs, { recursive: true });
    renameSync(join(cwd, 'rotated'), certs);
    // Only now the wait may end.
    expect(await cluster.request({ method: 'DELETE', path: `${path}/apisvc-rotation-demo`, signal })).toMatchObject({ status: 200 });
    const { exitCode, stderr } = await running;
    expect({ exitCode, stderr }).toEqual({
      exitCode: 1,
      stderr: expect.stringMatching(
        /error: the certificates of the project were replaced after this command read them\nnothing was changed\nfix: Run the same command again\.$/,
      ),
    });
    const secret = await getObject(cluster, { resource: resources.Secret, namespace: 'demo', name: 'demo-tls' }, signal);
    expect(secret && secretEntry(secret, 'tls.crt')).toBe(registered);
    expect(await run('register', '-C', 'demo')).toMatchObject({ code: 0 });
  } finally {
    cluster.close();
  }
});
