import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { apisvc } from './harness/commands.ts';
import { codesOf, failure, getObject, kubectlOk, paste, verifyJson } from './harness/projects.ts';
import { project, registered, removeProjects } from './harness/registered.ts';
import { userKubeconfig } from './harness/users.ts';

afterAll(removeProjects);

/** The command that grants what is missing, as a reader copies it. */
function grantCommand(stderr: string): string {
  const [command] = /^kubectl auth reconcile -f - <<'EOF'\n.*\nEOF\n/ms.exec(stderr) ?? [];
  if (command === undefined) throw new Error(`no command in ${stderr}`);
  return command;
}

/** A kubeconfig of a user, in which the credentials have another name. */
async function unnamed(user: string): Promise<string> {
  const path = await userKubeconfig(user);
  const config = parse(await readFile(path, 'utf8'));
  config.users[0].name = config.contexts[0].context.user = 'credentials';
  await writeFile(path, stringify(config));
  return path;
}

describe('a user without permissions', () => {
  test('gets the RBAC rules that are missing, and they are sufficient', async () => {
    const { dir, start } = await project('rules');
    await start();
    const env = { KUBECONFIG: await unnamed('rules-user') };
    const refused = await failure(apisvc(['register'], { cwd: dir, env }));
    expect(refused).toMatchObject({ exitCode: 3, stdout: '' });
    expect(refused.stderr).toMatch(/user "rules-user" is not allowed to get, patch, create namespaces; .*create apiservices\.apireg/);
    expect(refused.stderr).toContain(
      '- {apiGroups: ["apiregistration.k8s.io"], resources: [apiservices], resourceNames: ["v1.rules.example.com"], verbs: [get, patch]}',
    );
    expect(await getObject('namespace', 'rules')).toBeUndefined();
    expect(refused.stderr).toContain(
      '- {apiGroups: ["rbac.authorization.k8s.io"], resources: [clusterroles], resourceNames: ["system:auth-delegator"], verbs: [bind]}',
    );

    await paste(grantCommand(refused.stderr));
    expect(await apisvc(['register'], { cwd: dir, env })).toMatchObject({ exitCode: 0 });
  });

  test('to create objects can still run register on existing ones', async () => {
    const { dir } = await registered('no-create');
    const env = { KUBECONFIG: await userKubeconfig('no-create-user') };
    const refused = await failure(apisvc(['register'], { cwd: dir, env }));
    expect(refused).toMatchObject({ exitCode: 3 });
    const command = grantCommand(refused.stderr)
      .replace(/^- .*verbs: \[create\]\}\n/gm, '')
      .replaceAll(/, create(?=[,\]])/g, '');
    expect(command).not.toMatch(/[[ ]create[,\]]/);
    await paste(command);
    const again = await apisvc(['register'], { cwd: dir, env });
    expect(again).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^Nothing changed: /) });
  });

  test('except to get APIServices gets a verdict and a list of what was not checked', async () => {
    const { apiService } = await registered('few-rights');
    await kubectlOk(['create', 'clusterrole', 'few-rights-look', '--verb=get', '--resource=apiservices']);
    await kubectlOk(['create', 'clusterrolebinding', 'few-rights-look', '--clusterrole=few-rights-look', '--user=looker']);
    const { exitCode, diagnosis } = await verifyJson([apiService], { env: { KUBECONFIG: await userKubeconfig('looker') } });
    expect({ exitCode, codes: codesOf(diagnosis), verdict: diagnosis.verdict }).toEqual({ exitCode: 0, codes: [], verdict: 'healthy' });
    expect(diagnosis.apis[0]?.notChecked).toEqual([
      { what: 'the Service', why: expect.stringContaining('resources: [services], resourceNames: ["api"], verbs: [get]') },
      { what: 'the EndpointSlices', why: expect.stringContaining('resources: [endpointslices], verbs: [list]') },
      { what: 'a list request to the API', why: expect.stringMatching(/resources: \[\w+\], verbs: \[list\]/) },
      {
        what: 'ConfigMap kube-system/extension-apiserver-authentication',
        why: expect.stringContaining('resources: [configmaps], resourceNames: ["extension-apiserver-authentication"], verbs: [get]'),
      },
      { what: 'the other APIServices', why: expect.stringContaining('resources: [apiservices], verbs: [list]') },
      {
        what: 'the CustomResourceDefinitions of the group',
        why: expect.stringContaining('resources: [customresourcedefinitions], verbs: [list]'),
      },
    ]);
  });
});
