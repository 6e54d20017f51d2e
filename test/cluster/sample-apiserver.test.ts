import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunningProcess } from '../../src/sandbox/shared/process.ts';
import { makeCa, makeLeaf, pair, pem } from './harness/certificates.ts';
import { kubectl } from './harness/commands.ts';
import { program } from './harness/programs.ts';
import { codesOf, emptyFolder, kubectlOk, verifyJson } from './harness/projects.ts';
import { cluster } from './harness/provided.ts';
import { conditions, deleteApiServices, failedWith, passed } from './harness/registrations.ts';
import { startProcess, startSampleApiserver } from './harness/servers.ts';
import { serviceAccountKubeconfig } from './harness/users.ts';
import { wardleAccess, wardleRegistration } from './harness/wardle.ts';

const ca = await makeCa('sample-apiserver CA');

describe('the real sample-apiserver', () => {
  const own = 'faults-wardle';
  const wardle = 'v1alpha1.wardle.example.com';
  const servers: RunningProcess[] = [];
  const { address } = cluster.network;
  const register = (port: number) =>
    kubectlOk(['apply', '-f', '-'], JSON.parse(wardleRegistration({ namespace: own, address, port, authority: ownAuthority })));
  const ownAuthority = { certificates: pem(ca) } as Parameters<typeof wardleRegistration>[0]['authority'];

  beforeAll(async () => {
    await kubectlOk(['apply', '-f', '-'], JSON.parse(wardleAccess(own)));
  });

  afterAll(async () => {
    await deleteApiServices(wardle);
    await kubectl(['delete', '--wait=false', '--ignore-not-found', '-f', '-'], { input: wardleAccess(own) });
    await kubectl(['delete', 'clusterrole,clusterrolebinding', `${own}:look`, '--ignore-not-found']);
    await Promise.all(servers.map((server) => server.stop()));
  });

  test('without certificate flags it serves a self-generated certificate for localhost', async () => {
    const kubeconfig = await serviceAccountKubeconfig(own, 'apiserver');
    servers.push(
      startProcess('sample-apiserver', program(cluster.programs, 'sample-apiserver'), [
        `--etcd-servers=${cluster.etcdUrl}`,
        `--bind-address=${address}`,
        '--secure-port=8446',
        `--cert-dir=${join(emptyFolder(), 'certificates')}`,
        `--kubeconfig=${kubeconfig}`,
        `--authentication-kubeconfig=${kubeconfig}`,
        `--authorization-kubeconfig=${kubeconfig}`,
      ]),
    );
    await register(8446);
    await expect
      .poll(async () => (await conditions()).get(wardle), { timeout: 90_000 })
      .toMatch(failedWith('x509: certificate is valid for localhost'));
    const { exitCode, diagnosis } = await verifyJson([wardle]);
    expect({ exitCode, codes: codesOf(diagnosis) }).toEqual({ exitCode: 1, codes: ['cert/self-generated'] });
  });

  test('without the binding to system:auth-delegator it works only for administrators', async () => {
    const kubeconfig = await serviceAccountKubeconfig(own, 'apiserver');
    const { certificates, key } = pair(await makeLeaf(`api.${own}.svc`, ca));
    const folder = emptyFolder();
    const [certFile, keyFile] = [join(folder, 'tls.crt'), join(folder, 'tls.key')];
    writeFileSync(certFile, certificates);
    writeFileSync(keyFile, key, { mode: 0o600 });
    servers.push(await startSampleApiserver({ certFile, keyFile, port: 8447, kubeconfig }));
    await register(8447);
    await expect.poll(async () => (await conditions()).get(wardle), { timeout: 90_000 }).toMatch(passed);
    const resources = ['apiservices', 'flunders.wardle.example.com', 'fischers.wardle.example.com'];
    await kubectlOk(['create', 'clusterrole', `${own}:look`, '--verb=get,list', `--resource=${resources}`]);
    const [jane, john] = [`${own}-jane`, `${own}-john`];
    await kubectlOk(['create', 'clusterrolebinding', `${own}:look`, `--clusterrole=${own}:look`, `--user=${jane}`, `--user=${john}`]);
    const verifyAs = (user: string) => verifyJson([wardle, '--as', user, '--as-group', 'system:authenticated']);
    expect((await verifyAs(jane)).exitCode).toBe(0);

    await kubectlOk(['delete', 'clusterrolebinding', `${own}:auth-delegator`]);
    // The server caches authorization decisions for some seconds, so use a user that has sent no
    // request yet.
    await expect.poll(async () => codesOf((await verifyAs(john)).diagnosis), { timeout: 60_000 }).toEqual(['auth/delegator-missing']);
    expect((await verifyAs(john)).exitCode).toBe(1);
    // An administrator can still use the API, and verify reports how the server treats other users.
    expect(await kubectlOk(['get', '--raw', '/apis/wardle.example.com/v1alpha1'])).toContain('flunders');
    const { exitCode, diagnosis } = await verifyJson([wardle]);
    expect({ exitCode, codes: codesOf(diagnosis) }).toEqual({ exitCode: 1, codes: ['auth/delegator-missing'] });
  });
});
