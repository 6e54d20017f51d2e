import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AnyApiProject, installAnyApiProject, registerAnyApiProject, removeAnyApiProject } from '../harness/any-api-project.ts';
import { apisvc } from '../harness/commands.ts';
import { editConfiguration, emptyFolder, kubectlOk } from '../harness/projects.ts';
import { apiServiceNameOf } from '../harness/registrations.ts';
import { installInsecure } from '../harness/secured.ts';

/** Projects that `init --from-cluster` makes from servers in pods. */

const home = emptyFolder();
const run = (...args: string[]) => apisvc([...args, '--timeout', '2m'], { cwd: home, timeout: 150_000 });

async function succeed(...args: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await run(...args);
  expect({ args, exitCode, output: exitCode === 0 ? '' : stdout + stderr }).toEqual({ args, exitCode: 0, output: '' });
  return stdout;
}

/** The only APIService that a project renders. */
async function renderedApi(dir: string) {
  const { exitCode, stdout, stderr } = await apisvc(['render', '-C', dir, '--secrets', 'omit', '-o', 'json'], { cwd: home });
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  const { items } = JSON.parse(stdout) as { items: { kind: string; metadata: { name: string }; spec: object }[] };
  return items.find(({ kind }) => kind === 'APIService');
}

describe('a server that was installed without apisvc, and with insecureSkipTLSVerify', () => {
  const name = 'from-theirs';
  const apiService = apiServiceNameOf(name);

  beforeAll(async () => {
    await installInsecure({ name, replicas: 2 });
  });
  afterAll(() => removeAnyApiProject({ dir: '', apiService, target: { path: '', object: '' } }, name));

  test('becomes a project that verifies and renders what runs', async () => {
    const made = await succeed('init', 'theirs', '--from-cluster', apiService);
    expect(made).toContain(`apisvc secure ${apiService} -C theirs`);
    expect(await succeed('verify', '-C', 'theirs')).toContain('security/insecure-skip-tls-verify');
    expect(await renderedApi('theirs')).toMatchObject({ metadata: { name: apiService }, spec: { insecureSkipTLSVerify: true } });
    expect(await run('rotate', '-C', 'theirs')).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('Turn on verification') });
  });

  test('is secured, and then rotated, from this project', async () => {
    expect(await succeed('secure', apiService, '-C', 'theirs', '--yes')).toContain(`✓ ${apiService}: healthy`);
    await succeed('rotate', '-C', 'theirs');
    await succeed('status', '-C', 'theirs');
    const { spec } = JSON.parse(await kubectlOk(['get', 'apiservice', apiService, '-o', 'json']));
    expect(await renderedApi('theirs')).toMatchObject({ spec: { caBundle: spec.caBundle } });
  });
});

describe('a server that another project of apisvc registered', () => {
  const name = 'from-ours';
  let project: AnyApiProject;

  beforeAll(async () => {
    project = await installAnyApiProject({ name, replicas: 1 });
  });
  afterAll(() => removeAnyApiProject(project, name));

  test('is refused while the other directory has its CA', async () => {
    expect(await run('init', 'ours', '--from-cluster', project.apiService)).toMatchObject({
      exitCode: 1,
      stdout: '',
      stderr: [
        `error: Secret ${name}/${name}-tls belongs to the apisvc project ${name}/${name}`,
        'fix: Run apisvc in the directory of that project.',
        '',
      ].join('\n'),
    });
  });

  test('becomes the same project when another tool writes its Secret', async () => {
    const { data, type } = JSON.parse(await kubectlOk(['get', 'secret', '-n', name, `${name}-tls`, '-o', 'json']));
    await kubectlOk(['create', '-f', '-'], { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'theirs', namespace: name }, type, data });
    editConfiguration(project.dir, (document) => {
      document.setIn(['spec', 'certificates', 'issuer'], document.createNode({ type: 'existing-secret' }));
      document.setIn(['spec', 'certificates', 'secretName'], 'theirs');
    });
    await registerAnyApiProject(project);
    expect(await succeed('init', 'ours', '--from-cluster', project.apiService)).toContain('Issuer type "existing-secret"');
    await succeed('verify', '-C', 'ours');
    expect((await renderedApi('ours'))?.spec).toEqual((await renderedApi(project.dir))?.spec);
    // The Deployment stays with the other directory, so both objects lose its labels.
    expect(await succeed('register', '-C', 'ours')).toMatch(/^2 objects: 2 configured/);
    expect(await succeed('register', '-C', 'ours')).toMatch(/^Nothing changed/);
    expect(await run('rotate', '-C', 'ours')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining(`another tool writes Secret ${name}/theirs`),
    });
  });
});
