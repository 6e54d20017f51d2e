import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { resourcePath, resources } from '../../src/cluster/resources.ts';
import { parseRegistration } from '../../src/config/load.ts';
import { insecure, type Json, name, registered, withoutCa } from './installed.ts';

const { signal } = new AbortController();

/** @param edit changes an object before it is created */
async function registeredByOthers(edit?: (object: Json) => void) {
  const { cwd, run, cluster } = await registered(edit);
  /** Every object that a project may change, with its version. */
  const versions = async (): Promise<readonly string[]> => {
    const kinds = [resources.Deployment, resources.Service, resources.Secret, resources.APIService];
    const lists = await Promise.all(
      kinds.map(async (resource) => {
        const { body } = await cluster.request({ path: resourcePath(resource, resource.namespaced ? 'demo' : undefined), signal });
        return JSON.parse(body).items.map(({ metadata }: Json) => `${resource.kind} ${metadata.name} ${metadata.generation ?? ''}`);
      }),
    );
    return lists.flat();
  };
  const patch = async (path: string, body: object): Promise<void> => {
    const { status } = await cluster.request({ method: 'PATCH', path, contentType: 'application/merge-patch+json', body, signal });
    expect(status).toBe(200);
  };
  const read = async (path: string): Promise<Json> => JSON.parse((await cluster.request({ path, signal })).body);
  return { cwd, run, versions, patch, read };
}

const api = resourcePath(resources.APIService, undefined, name);
const specOf = (dir: string) => parseRegistration(readFileSync(join(dir, 'apisvc.yaml'), 'utf8'), 'apisvc.yaml').spec;

/** The commands in a text, as a user would paste them. */
const commandsIn = (text: string): string[][] =>
  [...text.matchAll(/^ {2}apisvc (.*?) {2,}#/gm)].map(([, words = '']) => words.trim().split(' '));

test('an insecure registration becomes a project, and the next steps that are printed work', async () => {
  const { cwd, run, versions } = await registeredByOthers((object) => {
    insecure(object);
    withoutCa(object);
  });
  const before = await versions();
  const made = await run('init', 'found', '--from-cluster', `apiservice/${name}`);
  expect(made).toEqual({
    code: 0,
    stderr: '',
    stdout: [
      'created found/apisvc.yaml',
      'created found/.apisvc/registration.schema.json',
      '',
      `${name} is served by Service demo/demo.`,
      'Issuer type "insecure": kube-apiserver accepts every certificate. Anyone on the network can impersonate the server.',
      'Next:',
      '  apisvc verify -C found                             # diagnose the API',
      `  apisvc secure ${name} -C found    # turn on verification`,
      '',
    ].join('\n'),
  });
  expect(await versions()).toEqual(before);
  expect(specOf(join(cwd, 'found'))).toMatchObject({
    apis: [{ group: 'demo.apisvc.dev', version: 'v1alpha1' }],
    service: { name: 'demo', port: 443 },
    server: { existing: { selector: { 'app.kubernetes.io/name': 'demo' }, port: 'https' } },
    certificates: { issuer: { type: 'insecure' } },
  });
  const [verify = [], secure = []] = commandsIn(made.stdout);
  expect(await run(...verify)).toMatchObject({ code: 0 });
  expect(await run('rotate', '-C', 'found')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining(`\nfix: Turn on verification while the API keeps serving: apisvc ${secure.join(' ')}\n`),
  });
  const secured = await run(...secure, '--yes');
  expect({ code: secured.code, stderr: secured.stderr }).toEqual({
    code: 0,
    stderr: expect.stringContaining('replaced found/apisvc.yaml'),
  });
  expect(specOf(join(cwd, 'found'))).toMatchObject({
    server: { existing: { deployment: { name: 'demo', container: 'demo' } } },
    certificates: { issuer: { type: 'self-signed' } },
  });
  expect(readdirSync(join(cwd, 'found', 'certs'))).toContain('tls.key');
  const verified = await run(...verify);
  expect(verified).toMatchObject({ code: 0, stderr: '' });
  expect(verified.stdout).not.toContain('insecure');
  expect(await run('secure', name, '-C', 'found', '--yes')).toMatchObject({ code: 0, stdout: expect.stringContaining('Nothing to do.') });
});

test('secure keeps the certificate of a server whose Secret has its CA, and the project names the Secret', async () => {
  const { cwd, run } = await registeredByOthers(insecure);
  expect(await run('init', 'found', '--from-cluster', name)).toMatchObject({ code: 0 });
  const secured = await run('secure', name, '-C', 'found', '--yes', '-o', 'json');
  expect({ code: secured.code, stderr: secured.stderr }).toMatchObject({ code: 0 });
  expect(JSON.parse(secured.stdout)).toMatchObject({ secret: 'demo/their-cert', applied: [{ object: `apiservice/${name}` }] });
  expect(specOf(join(cwd, 'found')).certificates).toMatchObject({ issuer: { type: 'existing-secret' }, secretName: 'their-cert' });
  expect(existsSync(join(cwd, 'found', 'certs'))).toBe(false);
  expect(await run('verify', '-C', 'found')).toMatchObject({ code: 0 });
});

test('a verified registration becomes a project with the Secret of others', async () => {
  const { cwd, run, versions, patch } = await registeredByOthers();
  const before = await versions();
  const made = await run('init', 'found', '--from-cluster', name);
  expect(made).toMatchObject({ code: 0, stderr: '' });
  expect(made.stdout).not.toContain('apisvc secure');
  const found = join(cwd, 'found');
  expect(readdirSync(found).sort()).toEqual(['.apisvc', 'apisvc.yaml']);
  expect(specOf(found).certificates).toMatchObject({ issuer: { type: 'existing-secret' }, secretName: 'their-cert' });
  expect(specOf(found).server.existing).toEqual({ selector: expect.anything(), port: 'https' });
  expect(specOf(found).certificates.issuer).not.toHaveProperty('caBundleFile');
  for (const command of commandsIn(made.stdout)) expect(await run(...command)).toMatchObject({ code: 0 });
  expect(await run('status', '-C', 'found')).toMatchObject({ code: 0 });

  const text = readFileSync(join(found, 'apisvc.yaml'), 'utf8');
  writeFileSync(join(found, 'apisvc.yaml'), `${text}# mine\n`);
  expect(await run('init', 'found', '--from-cluster', name)).toEqual({
    code: 1,
    stdout: '',
    stderr: 'error: found/apisvc.yaml already exists\nfix: Replace it with --force, or choose another directory.\n',
  });
  expect(readFileSync(join(found, 'apisvc.yaml'), 'utf8')).toContain('# mine');

  await patch(resourcePath(resources.Secret, 'demo', 'their-cert'), { data: { 'ca.crt': null } });
  expect(await run('init', 'found', '--from-cluster', name, '--force')).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('created found/ca-bundle.crt\n'),
  });
  expect(specOf(found).certificates.issuer).toEqual({ type: 'existing-secret', caBundleFile: 'ca-bundle.crt' });
  const bundle = readFileSync(join(found, 'ca-bundle.crt'), 'utf8');
  const { stdout } = await run('render', '-C', 'found', '-o', 'json');
  const rendered = JSON.parse(stdout).items.find(({ kind }: Json) => kind === 'APIService');
  expect(Buffer.from(rendered.spec.caBundle, 'base64').toString()).toBe(bundle);
  expect(bundle).not.toContain('PRIVATE KEY');
  expect(await versions()).toEqual(before);
});

test("OpenShift's annotations name the Secret", async () => {
  const { cwd, run, patch } = await registeredByOthers();
  const service = resourcePath(resources.Service, 'demo', 'demo');
  const openshift = 'service.beta.openshift.io';
  await patch(api, { metadata: { annotations: { [`${openshift}/inject-cabundle`]: 'true' } } });
  const init = (...more: string[]) => run('init', 'found', '--from-cluster', name, ...more);
  expect(await init()).toEqual({
    code: 1,
    stdout: '',
    stderr: `error: cannot tell which Secret has the serving certificate of Service demo/demo: OpenShift writes the caBundle, but the Service does not have the annotation ${openshift}/serving-cert-secret-name\n`,
  });
  expect(existsSync(join(cwd, 'found'))).toBe(false);
  await patch(service, { metadata: { annotations: { [`${openshift}/serving-cert-secret-name`]: 'their-cert' } } });
  expect(await init()).toMatchObject({ code: 0, stdout: expect.stringContaining('Issuer type "openshift-service-ca"') });
  expect(specOf(join(cwd, 'found')).certificates).toMatchObject({ issuer: { type: 'openshift-service-ca' }, secretName: 'their-cert' });
});

test('an APIService that cannot become a project is refused with the reason', async () => {
  const { run, patch, read } = await registeredByOthers();
  const refused = async (given: string, words: string) =>
    expect(await run('init', 'found', '--from-cluster', given)).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining(words),
    });
  await refused('v1.apps', 'APIService v1.apps is Local');
  await refused('v1alpha1.demo.apisvc.de', `Did you mean ${name}?`);
  const secret = resourcePath(resources.Secret, 'demo', 'their-cert');
  await patch(secret, { metadata: { annotations: { 'apisvc.dev/registration': 'demo/theirs' } } });
  await refused(name, 'Secret demo/their-cert belongs to the apisvc project demo/theirs');
  await patch(secret, { metadata: { annotations: { 'apisvc.dev/registration': null } } });
  const served = await read(secret);
  // A certificate without its key: the server keeps the one that it has.
  await patch(secret, { data: { 'tls.crt': served.data['ca.crt'] } });
  await refused(name, 'the pods mount Secret their-cert, but do not serve its certificate: 127.0.0.1:');
  await patch(secret, { data: { 'tls.crt': served.data['tls.crt'] } });
  await patch(secret, { data: { 'ca.crt': null } });
  await patch(api, { spec: { caBundle: null } });
  await refused(
    name,
    'cannot tell which CA signs the certificate in Secret demo/their-cert: it has no ca.crt, and the APIServices have no caBundle',
  );
});
