import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { authority } from '../../unit/project/sample.ts';
import { program } from '../harness/programs.ts';
import { emptyFolder } from '../harness/projects.ts';
import { cluster } from '../harness/provided.ts';

/** Requests that the load sends before it starts: one of each kind. */
const first = 4;

test('the load ends at once while its requests wait for Retry-After', async () => {
  let requests = 0;
  const running = { stop: () => {} };
  const server = createServer(({ url }, response) => {
    requests += 1;
    const answer = url?.endsWith('/one') ? { kind: 'Thing', metadata: { name: 'one' } } : { kind: 'ThingList' };
    if (requests <= first) return response.end(JSON.stringify(answer));
    response.writeHead(503, { 'retry-after': '3600' }).end('overloaded');
    if (requests === first + 10) running.stop();
    return;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close().closeAllConnections();
  });
  const ca = Buffer.from(authority.certificates).toString('base64');
  const { port } = server.address() as AddressInfo;
  const file = join(emptyFolder(), 'kubeconfig.json');
  const clusters = [{ cluster: { server: `http://127.0.0.1:${port}`, 'certificate-authority-data': ca } }];
  writeFileSync(file, JSON.stringify({ clusters, users: [{ user: { token: 'a-token' } }] }));
  const flags = [`--kubeconfig=${file}`, '--path=/apis/a/v1/things', '--object=one', '--rate=50', '--watch=false'];
  const load = promisify(execFile)(program(cluster.programs, 'load'), flags);
  running.stop = () => load.child.kill('SIGTERM');
  const report = JSON.parse((await load).stdout);
  expect(report).toMatchObject({ requests: 0, failures: 0, byText: [], retried: [{ text: 'HTTP 503: overloaded' }] });
  expect(report.unfinished).toBe(report.retried[0].count);
  expect(report.unfinished).toBeGreaterThanOrEqual(10);
});
