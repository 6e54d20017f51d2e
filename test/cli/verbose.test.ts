import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { answer, kubeconfig, serve, status } from '../unit/cluster/kube-api.ts';
import { folder } from '../unit/project/folder.ts';
import { apisvc } from './apisvc.ts';

const args = ['verify', 'v1.example.com', '--kubeconfig', 'config', '-o', 'short'];

async function verify(server: string, ...flags: readonly string[]) {
  const cwd = folder();
  writeFileSync(join(cwd, 'config'), JSON.stringify(kubeconfig(server)));
  return apisvc([...args, ...flags], { cwd });
}

test('-v shows each request to kube-apiserver, without the password of its URL', async () => {
  const server = await serve(({ url }, response) =>
    url === '/version' ? answer(response, 200, { gitVersion: 'v1.37.2' }) : answer(response, 403, status(403, 'Forbidden', 'no')),
  );
  const quiet = await verify(server);
  const { code, stdout, stderr } = await verify(server.replace('//', '//jane:secret@'), '-v');
  expect({ code, stdout: stdout.replaceAll('jane:secret@', '') }).toEqual({ code: quiet.code, stdout: quiet.stdout });
  expect(quiet.stderr).not.toContain('milliseconds');
  const lines = stderr.split('\n').filter((line) => line.includes(' milliseconds'));
  expect(lines.map((line) => line.replace(/\d+ milliseconds$/, 'N milliseconds'))).toEqual(
    expect.arrayContaining([
      `GET ${server}/version 200 OK in N milliseconds`,
      `GET ${server}/apis/apiregistration.k8s.io/v1/apiservices/v1.example.com 403 Forbidden in N milliseconds`,
    ]),
  );
  expect(stderr).not.toContain('secret');
});

test('-v shows a request without a response', async () => {
  const { code, stderr } = await verify('http://127.0.0.1:1', '-v');
  expect(code).toBe(3);
  expect(stderr).toMatch(/^GET http:\/\/127\.0\.0\.1:1\/\S+ failed in \d+ milliseconds$/m);
});
