import { expect, test, vi } from 'vitest';
import { apisvc } from '../cli/apisvc.ts';
import { startApisvc } from '../cli/running.ts';
import { registeredDemo } from './harness.ts';

const name = 'v1alpha1.demo.apisvc.dev';
const waiting = { timeout: 60_000, interval: 200 };

test('monitor follows the state of an API, survives the end of the cluster, and ends with SIGTERM', async () => {
  const { cwd, box, run } = await registeredDemo();
  const flags = ['monitor', '--context', 'apisvc-sandbox-*', '--listen', '127.0.0.1:0', '--interval', '5s', '--events'];
  const { running, said } = startApisvc(flags, { cwd, env: box.env });
  const url = await vi.waitFor(() => {
    const [, port] = /^serving on 127\.0\.0\.1:(\d+), /.exec(said()) ?? [];
    if (port === undefined) throw new Error(`not serving: ${said()}`);
    return `http://127.0.0.1:${port}`;
  }, waiting);
  const get = async (path: string) => {
    const response = await fetch(url + path);
    return { status: response.status, body: await response.text() };
  };
  const untilMetrics = (...samples: readonly string[]) =>
    vi.waitFor(async () => {
      const { body } = await get('/metrics');
      for (const sample of samples) expect(body).toContain(sample);
    }, waiting);

  await vi.waitFor(async () => expect(await get('/readyz')).toMatchObject({ status: 200 }), waiting);
  expect(await get('/healthz')).toEqual({ status: 200, body: 'ok\n' });
  await untilMetrics(`apiservice="${name}",state="healthy"} 1`, `apiservice="${name}",place="secret",name="demo/demo-tls"}`);
  expect((await get('/')).body).toContain('<p class="eyebrow">apisvc verify</p>');
  const busy = await apisvc(['monitor', '--listen', url.replace('http://', '')], { cwd, env: box.env });
  expect(busy).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/^error: failed to listen on .*: the port is already in use\nfix: /),
  });

  expect(await run('unregister', '-C', 'demo', '--yes')).toMatchObject({ code: 0 });
  await vi.waitFor(async () => expect((await get('/metrics')).body).not.toContain(name), waiting);

  expect(await run('register', '-C', 'demo')).toMatchObject({ code: 0 });
  await untilMetrics(`apiservice="${name}",state="healthy"} 1`);

  await box.end('SIGTERM');
  await untilMetrics('apisvc_last_run_success{context="apisvc-sandbox-simulation"} 0', `apiservice="${name}",state="unknown"} 1`);
  expect(JSON.parse((await get('/report.json')).body)).toMatchObject({ verdict: 'unknown', clusters: [{ error: expect.any(String) }] });
  expect((await get('/')).body).toContain('The last run failed:');
  running.kill('SIGTERM');
  const { exitCode, stdout } = await running;
  expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: '' });
  expect(said()).not.toMatch(/Warning|undefined|not created/);
});
