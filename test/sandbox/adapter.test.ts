import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { apisvc } from '../cli/apisvc.ts';
import { emptyFolder, sandboxOnce, startSandbox } from './harness.ts';

/** A server that serves every group without resources, as prometheus-adapter without Prometheus. */
const adapter = `
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';

const flag = (name) => process.argv.find((each) => each.startsWith('--' + name + '='))?.split('=')[1];
const read = (name) => readFileSync(flag(name));
const tls = { cert: read('tls-cert-file'), key: read('tls-private-key-file'), requestCert: true, rejectUnauthorized: false };
console.error('E1128 08:00:00.000000       1 provider.go:227] unable to update list of all metrics: no such host');
createServer(tls, ({ url, socket }, response) => {
  const [, group, version] = /^\\/apis\\/([^/]+)\\/([^/?]+)/.exec(url) ?? [];
  if (version === undefined) return response.writeHead(url.endsWith('z') ? 200 : 404).end();
  if (!socket.getPeerX509Certificate()) return response.writeHead(401).end();
  response.end(JSON.stringify({ kind: 'APIResourceList', groupVersion: group + '/' + version, resources: [] }));
}).listen(Number(flag('secure-port')), flag('bind-address'));
`;

test('register explains an adapter without metrics once, whatever the number of its versions', async () => {
  const cwd = emptyFolder();
  expect(await apisvc(['init', '--preset', 'prometheus-adapter', '--yes'], { cwd })).toMatchObject({ code: 0 });
  writeFileSync(join(cwd, 'adapter.mjs'), adapter);
  const { code, stdout } = await sandboxOnce(['--once', '--', process.execPath, 'adapter.mjs'], cwd);
  expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining('2 APIs: 2 healthy') });
  expect(stdout.match(/discovery\/\S+: same/g)).toEqual(['discovery/no-metrics: same']);
  expect(stdout.match(/\n {4}cause: /g)).toHaveLength(1);
  expect(stdout).toContain('log: E1128 08:00:00.000000       1 provider.go:227] unable to update list of all metrics: no such host');
});

describe('verify as a user', () => {
  const name = 'v1alpha1.demo.apisvc.dev';
  const list = 'GET /apis/demo.apisvc.dev/v1alpha1/hosts?limit=1 as';

  test('tells whether the user may list', async () => {
    const cwd = emptyFolder();
    const { env, end } = await startSandbox([], cwd);
    const run = (...flags: string[]) => apisvc(['verify', name, ...flags], { cwd, env });
    expect(await run('--as-user', 'admin')).toMatchObject({ code: 1, stdout: expect.stringContaining(`    ${list} admin: 403\n`) });
    expect(await run('--as', 'root', '--as-group', 'system:masters')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`    ${list} root: 200\n`),
    });
    for (const flag of ['--as-user', '--as']) {
      const { code, stdout } = await run(flag, 'jane');
      expect({ code, stdout }).toMatchObject({ code: 1, stdout: expect.stringContaining(`    ${list} jane: 403\n`) });
      expect(stdout).toContain('error auth/list-not-allowed: User jane is not allowed to list hosts in group demo.apisvc.dev\n');
    }
    await end('SIGINT');
  });

  test('--probe requires a path of the selected APIs', async () => {
    const cwd = emptyFolder();
    const { env, end } = await startSandbox([], cwd);
    const run = (...flags: string[]) => apisvc(['verify', name, ...flags], { cwd, env });
    expect(await run('--probe', '/apis/other/v1/things')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('error: --probe /apis/other/v1/things is not under /apis/demo.apisvc.dev/v1alpha1\n'),
    });
    const path = '/apis/demo.apisvc.dev/v1alpha1/hosts/none';
    expect(await run('--probe', path)).toMatchObject({
      code: 1,
      stdout: expect.stringContaining(`  error discovery/probe-failed: GET ${path} failed (404)\n    seen:     GET ${path}: 404\n`),
    });
    expect((await run('--no-probe')).stdout).not.toContain('limit=1');
    await end('SIGINT');
  });
});
