import { X509Certificate } from 'node:crypto';
import { cpSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, onTestFinished, test } from 'vitest';
import { connect } from '../../src/cluster/cluster.ts';
import { resourcePath, resources } from '../../src/cluster/resources.ts';
import { bin, plainEnv } from '../cli/apisvc.ts';
import { registeredDemo } from './harness.ts';

test('in a copy of the project, a second --abort still knows the certificate that it withdraws', async ({ signal }) => {
  const { cwd, box, run } = await registeredDemo();
  /** Presses Ctrl-C when a step starts, which must not be able to end before that. */
  const interrupt = async (title: string, ...args: string[]): Promise<void> => {
    const env = { ...plainEnv, ...box.env };
    const running = execa(bin, ['rotate', ...args], { cwd, env, extendEnv: false, reject: false });
    let stderr = '';
    running.stderr.on('data', (chunk) => {
      stderr += chunk;
      // A second signal ends the command at once.
      if (!running.killed && stderr.includes(`==> ${title}`)) running.kill('SIGINT');
    });
    expect(await running).toMatchObject({ exitCode: 130 });
  };
  const cluster = await connect({ kubeconfig: box.env.KUBECONFIG }, {}, signal);
  onTestFinished(() => cluster.close());
  // An endpoint that serves no certificate keeps every rotation from its end.
  const slices = resourcePath(resources.EndpointSlice, 'demo');
  const body = {
    apiVersion: resources.EndpointSlice.apiVersion,
    kind: 'EndpointSlice',
    metadata: { name: 'silent', labels: { 'kubernetes.io/service-name': 'demo' } },
    addressType: 'IPv4',
    endpoints: [{ addresses: ['127.0.0.1'] }],
    ports: [{ name: '', port: 1, protocol: 'TCP' }],
  };
  expect(await cluster.request({ method: 'POST', path: slices, body, signal })).toMatchObject({ status: 201 });
  await interrupt('Waiting until every endpoint', '-C', 'demo');
  const certificate = (file: string): string => new X509Certificate(readFileSync(join(cwd, 'demo', 'certs', file))).fingerprint256;
  const withdrawn = { certificate: { sha256: certificate('next/tls.crt') } };
  const restored = { certificate: { sha256: certificate('tls.crt') } };

  cpSync(join(cwd, 'demo'), join(cwd, 'copy'), { recursive: true });
  rmSync(join(cwd, 'copy', 'certs', 'next'), { recursive: true });
  await interrupt('Waiting until every endpoint', '-C', 'copy', '--abort');
  // The directory where the rotation was started can still go on.
  const planned = await run('rotate', '-C', 'demo', '--dry-run', '-o', 'json');
  expect(JSON.parse(planned.stdout)).toMatchObject({ outcome: 'planned', to: withdrawn, from: restored });
  expect(await cluster.request({ method: 'DELETE', path: `${slices}/silent`, signal })).toMatchObject({ status: 200 });
  const second = await run('rotate', '-C', 'copy', '--abort', '-o', 'json');
  expect(JSON.parse(second.stdout)).toMatchObject({ outcome: 'aborted', withdrawn, restored });
});
