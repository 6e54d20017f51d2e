import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { parse, parseDocument } from 'yaml';
import { folder } from '../unit/project/folder.ts';
import { apisvc, sampleProject } from './apisvc.ts';

/** The manifests of a CronJob that rotates. */

let cwd: string;
let dir: string;
beforeEach(async () => {
  cwd = folder();
  dir = await sampleProject(cwd);
});

describe('--cronjob', () => {
  const cronJob = ['render', '--cronjob', '--image', 'registry.example.com/apisvc:1'];

  test('prints the CronJob with its RBAC and apisvc.yaml, and nothing of the project', async () => {
    const made = await apisvc(['init', 'in-cluster', '--preset', 'demo', '--yes', '--ca-key-in', 'secret'], { cwd });
    expect(made).toMatchObject({ code: 0 });
    const own = join(cwd, 'in-cluster');
    const { code, stdout, stderr } = await apisvc([...cronJob, '--schedule', '@weekly', '-o', 'json'], { cwd: own });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { items } = JSON.parse(stdout);
    expect(items.map(({ kind }: { kind: string }) => kind)).toEqual([
      ...['ServiceAccount', 'ClusterRole', 'ClusterRoleBinding', 'Role', 'RoleBinding', 'ConfigMap', 'CronJob'],
    ]);
    expect(items[5].data).toEqual({ 'apisvc.yaml': readFileSync(join(own, 'apisvc.yaml'), 'utf8') });
    expect(items[6].spec.schedule).toBe('@weekly');
    expect(await apisvc([...cronJob, '--schedule', '99 * * * *'], { cwd: own })).toEqual({
      code: 2,
      stdout: '',
      stderr:
        'error: invalid schedule "99 * * * *": end of range (99) above maximum (59): 99\n' +
        'fix: Use the five fields of cron, for example "17 3 * * *", or a macro such as @daily.\n',
    });
  });

  test('is refused where a file has the key of the CA', async () => {
    const { code, stderr } = await apisvc(cronJob, { cwd: dir });
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringContaining('error: --cronjob needs the private key of the CA in the cluster, but the key is in a file\n'),
    });
  });

  test.each([
    ['cert-manager', '{type: cert-manager}', 'cert-manager renews the certificate itself\n'],
    [
      'csr',
      '{type: csr, signerName: example.com/signer, caBundleFile: ca.crt}',
      'the CronJob can only use a CA whose private key is in a Secret (issuer type "self-signed" with caKey: secret)\n',
    ],
    ['existing-secret', '{type: existing-secret}', 'another tool writes Secret '],
  ])('is refused with the issuer %s, and says why', async (type, issuer, why) => {
    const own = join(cwd, `cronjob-${type}`);
    mkdirSync(own);
    const document = parseDocument(readFileSync(join(dir, 'apisvc.yaml'), 'utf8'));
    document.setIn(['spec', 'certificates', 'issuer'], parse(issuer));
    writeFileSync(join(own, 'apisvc.yaml'), String(document));
    const { code, stdout, stderr } = await apisvc(cronJob, { cwd: own });
    const error = `error: --cronjob cannot be used with the issuer type "${type}": ${why}`;
    expect({ code, stdout, stderr }).toEqual({ code: 2, stdout: '', stderr: expect.stringContaining(error) });
  });
});
