import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { kubeconfig, type Received, answer as reply, serve } from '../cluster/kube-api.ts';
import { contents, folder } from '../project/folder.ts';
import { sampleProject, shell } from './apisvc.ts';
import { hasTmux, type Screen, terminal } from './tmux.ts';

beforeEach((context) => context.skip(!hasTmux, 'NOT TESTED: the questions of init (needs tmux)'));

/** Every question for a server of one's own, in its order, with an answer; an empty one takes what is proposed. */
const questions = [
  [/\? Preset to start from/, ''],
  [/\? API that the server serves \(group\/version\)/, 'my.example.com/v1'],
  [/\? Container image of the server/, 'example.com/api:v1'],
  [/\? Name of the server \(demo\)/, ''],
  [/\? Namespace \(demo\)/, 'apis'],
  [/\? Name of the Service \(demo\)/, ''],
  [/\? Write these 7 files\? \(yes\)/, ''],
] as const;

/** Answers that many questions, and waits for the next one, or for the end. */
async function answer(screen: Screen, count: number): Promise<string> {
  for (const [question, text] of questions.slice(0, count)) {
    await screen.until(question);
    screen.type(...(text === '' ? [] : [text]), 'Enter');
  }
  return screen.until(questions[count]?.[0] ?? /exit code/);
}

const command =
  'apisvc init demo --preset custom --api my.example.com/v1 --image example.com/api:v1 --name demo --namespace apis --service demo';

describe('from start to end', () => {
  test('a server of one’s own: what is asked, proposed, shown and made', async () => {
    const cwd = folder();
    const screen = terminal('apisvc init demo', cwd);
    expect(await answer(screen, 6)).toMatchInlineSnapshot(`
      "✔ Preset to start from custom

      A CRD serves better for ordinary application objects and for what an operator acts on: no server to run, no
      certificates. The aggregation layer is right for data that lives elsewhere, storage of your own, subresources and
      protocols that a CRD lacks, and views that differ by tenant.
      More: apisvc explain crd-or-apiservice

      ✔ API that the server serves (group/version) my.example.com/v1
      ✔ Container image of the server example.com/api:v1
      ✔ Name of the server demo
      ✔ Namespace apis
      ✔ Name of the Service demo

      This will be written:
        demo/apisvc.yaml                       the registration, with comments; yours to edit
        demo/.apisvc/registration.schema.json  lets editors complete apisvc.yaml
        demo/certs/.gitignore                  keeps the keys out of git
        demo/certs/ca.crt                      the CA, which becomes the caBundle
        demo/certs/ca.key                      private key of the CA, mode 0600
        demo/certs/tls.crt                     the serving certificate
        demo/certs/tls.key                     its private key, mode 0600

      The same without questions:
        apisvc init demo --preset custom --api my.example.com/v1 --image example.com/api:v1 --name demo --namespace apis --ser
      vice demo

      ? Write these 7 files? (yes)
      yes or no; nothing has been written so far"
    `);
    expect(readdirSync(cwd)).toEqual([]);
    screen.type('Enter');
    const seen = await screen.until(/exit code/);
    expect(seen).toMatch(
      /created demo\/certs\/tls\.key[\s\S]*v1\.my\.example\.com will be served by Service apis\/demo\.[\s\S]*exit code 0/,
    );
    expect(seen.match(/The same without questions:/g)).toHaveLength(2);
  });

  test('the command at the end asks nothing and makes the same, on a terminal and without one', async () => {
    const cwd = folder();
    const screen = terminal('mkdir first; cd first; apisvc init demo > ../said', cwd);
    expect(await answer(screen, 7)).toContain('exit code 0');
    expect(readFileSync(join(cwd, 'said'), 'utf8')).toContain(`The same without questions:\n  ${command}\n`);
    const again = await terminal(`mkdir second; cd second; ${command}`, cwd).until(/exit code/);
    expect(again).toMatch(/exit code 0/);
    expect(again).not.toContain('?');
    const { code } = await shell(`mkdir third; cd third; ${command.replace('apisvc', '"$apisvc"')}`, cwd);
    expect(code).toBe(0);
    const [first, second, third] = ['first', 'second', 'third'].map((dir) => readFileSync(join(cwd, dir, 'demo/apisvc.yaml'), 'utf8'));
    expect(second).toBe(first);
    expect(third).toBe(first);
    expect(contents(join(cwd, 'second'))).toEqual(contents(join(cwd, 'first')));
  });

  test('each question says why it matters', async () => {
    const screen = terminal('apisvc init demo', folder());
    for (const [at, why] of [
      /It fills in all that is known of a server;[\s\S]*❯ custom[\s\S]*keda\n+a server of your own\n/,
      /\? API .*\nClients ask for \/apis\/GROUP\/VERSION;/,
      /\? Container image .*\nIts pods run this;/,
      /\? Name of the server .*\nIts Deployment, ServiceAccount and RBAC objects are called so\./,
      /\? Namespace .*\nIt is a part of the name in the certificate;/,
      /\? Name of the Service .*\nkube-apiserver reaches the server through it;/,
    ].entries()) {
      const [question = /never/, text] = questions[at] ?? [];
      expect(await screen.until(question)).toMatch(why);
      screen.type(...(text ? [text] : []), 'Enter');
    }
  });

  test('a preset that knows everything: only the preset and the files', async () => {
    const cwd = folder();
    const screen = terminal('apisvc init demo --key-type ecdsa-p384 --no-name-constraints --dns a.example.com', cwd);
    await screen.until(/\? Preset to start from/);
    screen.type('Down');
    await screen.until(/❯ sample-apiserver[\s\S]*the sample API server of Kubernetes, with an etcd beside it/);
    screen.type('Enter');
    const asked = await screen.until(/\? Write these 7 files\?/);
    expect(asked).not.toContain('CRD');
    expect(asked.replaceAll('\n', '')).toContain(
      '  apisvc init demo --preset sample-apiserver --key-type ecdsa-p384 --dns a.example.com --no-name-constraints',
    );
    screen.type('Enter');
    expect(await screen.until(/exit code/)).toContain('exit code 0');
    expect(readFileSync(join(cwd, 'demo/apisvc.yaml'), 'utf8')).toMatch(/namespace: wardle[\s\S]*keyType: ecdsa-p384/);
  });

  test('flags are answers; the other questions remain', async () => {
    const screen = terminal('apisvc init demo --api a.example.com/v1 --api a.example.com/v2 --namespace apis', folder());
    const seen = await screen.until(/\? Container image of the server/);
    expect(seen).not.toMatch(/Preset|API that|CRD/);
    screen.type('example.com/api:v1', 'Enter');
    await screen.until(/\? Name of the server \(demo\)/);
    screen.type('api', 'Enter');
    expect(await screen.until(/\? Name of the Service \(api\)/)).not.toContain('Namespace');
    screen.type('Enter');
    const plan = await screen.until(/\? Write these 7 files\?/);
    expect(plan.replaceAll('\n', '')).toContain(
      '--api a.example.com/v1 --api a.example.com/v2 --image example.com/api:v1 --name api --namespace apis',
    );
  });

  test('it says what it would replace', async () => {
    const cwd = folder();
    await sampleProject(cwd);
    const screen = terminal('apisvc init demo --force --force-keys', cwd);
    await screen.until(/\? Preset/);
    screen.type('Enter');
    await screen.until(/\? API/);
    screen.type('my.example.com/v1', 'Enter');
    await screen.until(/\? Container image/);
    screen.type('x', 'Enter');
    for (const question of [/\? Name of the server/, /\? Namespace/, /\? Name of the Service/]) {
      await screen.until(question);
      screen.type('Enter');
    }
    expect(await screen.until(/\? Write these 7 files\?/)).toMatch(
      /demo\/certs\/ca\.key +private key of the CA, mode 0600; replaces what is there/,
    );
  });
});

describe('a Service in the current cluster', () => {
  const service = { metadata: { name: 'demo', namespace: 'apis' }, spec: { selector: { app: 'demo', tier: 'api' } } };
  const pod = { metadata: { name: 'demo-1', namespace: 'apis' }, spec: { containers: [{ image: 'example.com/api:v7' }] } };

  /** A folder with the kubeconfig of a cluster that has these Services, and what the cluster was asked. */
  async function withServices(
    services: readonly object[],
    user: object = {},
    pods: readonly object[] = [pod],
  ): Promise<{ cwd: string; received: Received[] }> {
    const received: Received[] = [];
    const url = await serve((request, response) => {
      received.push(request);
      reply(response, 200, { metadata: {}, items: request.url.includes('/pods') ? pods : services });
    });
    const cwd = folder();
    writeFileSync(join(cwd, 'config'), JSON.stringify({ ...kubeconfig(url), users: [{ name: 'test', user }] }));
    return { cwd, received };
  }
  const init = 'KUBECONFIG=config; export KUBECONFIG; apisvc init demo --api my.example.com/v1';

  test('proposes its namespace and the image of its pods', async () => {
    const { cwd, received } = await withServices([service]);
    const screen = terminal(init, cwd);
    const seen = await screen.until(/\? Container image of the server \(example\.com\/api:v7\)/);
    expect(seen).toContain('Service apis/demo is there already (context test); what it tells of the server is proposed.');
    expect(received.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'GET /api/v1/services?fieldSelector=metadata.name%3Ddemo',
      'GET /api/v1/namespaces/apis/pods?labelSelector=app%3Ddemo%2Ctier%3Dapi',
    ]);
    screen.type('Enter');
    await screen.until(/✔ Container image of the server example\.com\/api:v7\n\? Name of the server \(demo\)/);
    screen.type('Enter');
    await screen.until(/\? Namespace \(apis\)/);
  });

  test.each([
    ['there are two of it', [service, { ...service, metadata: { name: 'demo', namespace: 'other' } }], {}, ''],
    ['it is in another namespace than --namespace', [service], {}, ' -n other'],
    [
      'a program would have to be started for credentials',
      [service],
      { exec: { command: 'false', apiVersion: 'client.authentication.k8s.io/v1' } },
      '',
    ],
  ])('proposes nothing, and says nothing, where %s', async (_, services, user, more) => {
    const { cwd } = await withServices(services, user);
    expect(await terminal(init + more, cwd).until(/\? Container image of the server\n/)).not.toMatch(/Service|error/);
  });

  test.each([
    ['has two containers', [{ ...pod, spec: { containers: [...pod.spec.containers, ...pod.spec.containers] } }]],
    ['has an image that a terminal would act on', [{ ...pod, spec: { containers: [{ image: 'a\u001b[31mb' }] } }]],
    ['is not there', []],
  ])('proposes no image where its pod %s', async (_, pods) => {
    const { cwd } = await withServices([service], {}, pods);
    await terminal(init, cwd).until(/Service apis\/demo is there already[\s\S]*\? Container image of the server\n/);
  });

  test('is not waited for when the cluster does not answer', async () => {
    const url = await serve(() => {});
    const cwd = folder();
    writeFileSync(join(cwd, 'config'), JSON.stringify(kubeconfig(url)));
    expect(await terminal(init, cwd).until(/\? Container image of the server\n/)).not.toContain('error');
  });

  test('Ctrl-C while it is looked for: exit 130', async () => {
    let asked = false;
    const url = await serve(() => {
      asked = true;
    });
    const cwd = folder();
    writeFileSync(join(cwd, 'config'), JSON.stringify(kubeconfig(url)));
    const screen = terminal(`trap : INT; ${init}`, cwd);
    await expect.poll(() => asked, { interval: 20 }).toBe(true);
    screen.type('C-c');
    expect(await screen.until(/exit code/)).toMatch(/error: interrupted\nexit code 130$/);
    expect(readdirSync(cwd)).toEqual(['config']);
  });

  test('is not looked for where nobody is asked', async () => {
    const { cwd, received } = await withServices([service]);
    const { code, stderr } = await shell('"$apisvc" init demo --api my.example.com/v1', cwd, { KUBECONFIG: 'config' });
    expect({ code, stderr }).toEqual({ code: 2, stderr: 'error: not given: Container image of the server\nfix: Use --image IMAGE.\n' });
    expect(await terminal(`${init} --yes`, cwd).until(/exit code/)).toContain('exit code 2');
    expect(received).toEqual([]);
  });
});

describe('nothing is asked', () => {
  test('with --yes, nor under CI', async () => {
    const cwd = folder();
    const missing = /error: not given: Preset to start from\nfix: Use --preset custom\|[\s\S]*exit code 2/;
    expect(await terminal('apisvc init demo --yes', cwd).until(/exit code/)).toMatch(missing);
    expect(await terminal('CI=true; export CI; apisvc init demo', cwd).until(/exit code/)).toMatch(missing);
    const custom = await terminal('apisvc init demo --yes --preset custom', cwd).until(/exit code/);
    expect(custom).toMatch(
      /^error: not given: API that the server serves \(group\/version\)\nfix: Use --api GROUP\/VERSION\.\nexit code 2$/,
    );
    expect(readdirSync(cwd)).toEqual([]);
  });
});

test.each(questions.map(([question], at) => [question.source.replaceAll('\\', ''), at] as const))(
  'Ctrl-C at "%s": exit 130, nothing written, the terminal as it was',
  async (_, at) => {
    const cwd = folder();
    const screen = terminal('before=$(stty -g); apisvc init demo; code=$?; test "$before" = "$(stty -g)" && echo same; (exit $code)', cwd);
    await answer(screen, at);
    screen.type('C-c');
    expect(await screen.until(/exit code/)).toMatch(/error: interrupted\nsame\nexit code 130$/);
    expect(readdirSync(cwd)).toEqual([]);
  },
);

describe('wrong answers', () => {
  test('are told while they are typed, in the words of Kubernetes', async () => {
    const screen = terminal('apisvc init demo', folder());
    await answer(screen, 1);
    screen.type('My_');
    await screen.until(/\? API .* My_\n[\s\S]*> group: a lowercase RFC 1123 subdomain must consist of/);
    screen.type('BSpace', 'BSpace', 'BSpace');
    expect(await screen.until(/\(group\/version\)\n/)).not.toContain('> ');
    screen.type('my.example.com');
    await screen.until(/> must be GROUP\/VERSION, for example wardle\.example\.com\/v1alpha1/);
    screen.type('/1');
    await screen.until(/> version: a DNS-1035 label must consist of/);
    screen.type('BSpace', 'v1, my.example.com/v1');
    await screen.until(/> my\.example\.com\/v1 is listed twice/);
    screen.type('beta1');
    expect(await screen.until(/v1beta1\n/)).not.toContain('> ');
  });

  test('are not taken, and stay to be corrected', async () => {
    const screen = terminal('apisvc init demo', folder());
    await answer(screen, 3);
    screen.type('Demo', 'Enter');
    await screen.until(/\? Name of the server Demo\n[\s\S]*> a lowercase RFC 1123 label/);
    screen.type('Home', 'DC', 'd', 'Enter');
    await screen.until(/✔ Name of the server demo\n\? Namespace \(demo\)/);
    screen.type('a.b', 'Enter');
    await screen.until(/\? Namespace a\.b\n[\s\S]*> a lowercase RFC 1123 label/);
    screen.type('C-u', 'Enter');
    await screen.until(/✔ Namespace demo\n\? Name of the Service \(demo\)/);
    screen.type('1api', 'Enter');
    await screen.until(/\? Name of the Service 1api\n[\s\S]*> a DNS-1035 label/);
  });

  test('and none is not an answer where nothing is proposed', async () => {
    const screen = terminal('apisvc init demo', folder());
    const asked = await answer(screen, 1);
    expect(asked).not.toContain('> ');
    screen.type('Enter');
    await screen.until(/\? API[\s\S]*> this needs an answer/);
  });

  test('a name that is no name of a Service is not proposed for it', async () => {
    const screen = terminal('apisvc init demo --api my.example.com/v1', folder());
    await screen.until(/\? Container image/);
    screen.type('a b');
    await screen.until(/> must be an image reference, without spaces/);
    screen.type('C-u', 'example.com/api:v1', 'Enter');
    await screen.until(/\? Name of the server/);
    screen.type('1api', 'Enter');
    await screen.until(/\? Namespace \(1api\)/);
    screen.type('Enter');
    await screen.until(/\? Name of the Service\n/);
  });

  test('no: nothing is written, exit 1, and how to say it otherwise', async () => {
    const cwd = folder();
    const screen = terminal('apisvc init demo', cwd);
    await answer(screen, 6);
    screen.type('perhaps', 'Enter');
    await screen.until(/\? Write these 7 files\? perhaps\n[\s\S]*> must be yes or no/);
    screen.type('C-u', 'no', 'Enter');
    const seen = await screen.until(/exit code/);
    expect(seen).toMatch(
      /error: nothing was written, as you said\nfix: Change what is not as it should be: apisvc init demo --preset custom/,
    );
    expect(seen).toMatch(/exit code 1$/);
    expect(readdirSync(cwd)).toEqual([]);
  });
});

describe('how it looks', () => {
  test('in a window of 40 columns words stay whole, and nothing is drawn twice', async () => {
    const screen = terminal('apisvc init demo', folder(), 40);
    await screen.until(/\? Preset/);
    screen.type('Enter');
    await screen.until(/\? API/);
    screen.type('My_Group.example.com/v1alpha1');
    expect(await screen.until(/v1alpha1\n[\s\S]*> group:/)).toMatchInlineSnapshot(`
      "✔ Preset to start from custom

      A CRD serves better for ordinary
      application objects and for what an
      operator acts on: no server to run, no
      certificates. The aggregation layer is
      right for data that lives elsewhere,
      storage of your own, subresources and
      protocols that a CRD lacks, and views
      that differ by tenant.
      More: apisvc explain crd-or-apiservice

      ? API that the server serves
      (group/version)
        My_Group.example.com/v1alpha1
      Clients ask for /apis/GROUP/VERSION; a
      group under a domain of yours meets no
      other. Several: with commas.
      > group: a lowercase RFC 1123 subdomain
      must consist of lower case alphanumeric
      characters, '-' or '.', and must start
      and end with an alphanumeric character"
    `);
    screen.type('Home', 'DC', 'm');
    await screen.until(/my_Group/);
    screen.type('C-e', 'C-u');
    screen.type('my.example.com/v1', 'Enter');
    for (const [question, text] of questions.slice(2, 6)) {
      await screen.until(question);
      screen.type(...(text === '' ? [] : [text]), 'Enter');
    }
    expect(await screen.until(/\? Write these 7 files\?/)).toMatchInlineSnapshot(`
      "✔ Preset to start from custom

      A CRD serves better for ordinary
      application objects and for what an
      operator acts on: no server to run, no
      certificates. The aggregation layer is
      right for data that lives elsewhere,
      storage of your own, subresources and
      protocols that a CRD lacks, and views
      that differ by tenant.
      More: apisvc explain crd-or-apiservice

      ✔ API that the server serves
      (group/version) my.example.com/v1
      ✔ Container image of the server
      example.com/api:v1
      ✔ Name of the server demo
      ✔ Namespace apis
      ✔ Name of the Service demo

      This will be written:
        demo/apisvc.yaml
          the registration, with comments;
          yours to edit
        demo/.apisvc/registration.schema.json
          lets editors complete apisvc.yaml
        demo/certs/.gitignore
          keeps the keys out of git
        demo/certs/ca.crt
          the CA, which becomes the caBundle
        demo/certs/ca.key
          private key of the CA, mode 0600
        demo/certs/tls.crt
          the serving certificate
        demo/certs/tls.key
          its private key, mode 0600

      The same without questions:
        apisvc init demo --preset custom --api
       my.example.com/v1 --image example.com/a
      pi:v1 --name demo --namespace apis --ser
      vice demo

      ? Write these 7 files? (yes)
      yes or no; nothing has been written so
      far"
    `);
  });

  const csi = '\u001b[';
  test('in colour', async () => {
    const screen = terminal('apisvc init demo', folder());
    await answer(screen, 1);
    screen.type('My_');
    await screen.until(/> group/);
    expect(screen.readColors().replaceAll(csi, '')).toMatch(/31m(49m)?> group:/);
  });

  test.each(['NO_COLOR=1; export NO_COLOR; apisvc init demo', 'apisvc --no-color init demo'])('%s: without any', async (script) => {
    const screen = terminal(script, folder());
    await screen.until(/\? Preset/);
    expect(screen.readColors()).not.toContain(csi);
    await answer(screen, 1);
    screen.type('My_');
    await screen.until(/> group/);
    expect(screen.readColors()).not.toContain(csi);
    screen.type('C-u');
    screen.type('my.example.com/v1', 'Enter');
    for (const [question, text] of questions.slice(2, 7)) {
      await screen.until(question);
      screen.type(...(text === '' ? [] : [text]), 'Enter');
    }
    await screen.until(/exit code 0/);
    expect(screen.readColors()).not.toContain(csi);
  });
});
