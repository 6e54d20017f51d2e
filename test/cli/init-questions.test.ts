import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { contents, folder } from '../unit/project/folder.ts';
import { sampleProject, shell } from './apisvc.ts';
import { answer, questions } from './init-dialogue.ts';
import { hasTmux, terminal } from './tmux.ts';

beforeEach((context) => context.skip(!hasTmux, 'NOT TESTED: the prompts of init (needs tmux)'));

const command =
  'apisvc init demo --preset custom --api my.example.com/v1 --image example.com/api:v1 --name demo --namespace apis --service demo';

describe('the prompts', () => {
  test('a custom server: prompts, defaults, plan and result', async () => {
    const cwd = folder();
    const screen = terminal('apisvc init demo', cwd);
    expect(await answer(screen, 7)).toMatchInlineSnapshot(`
      "✔ Preset to start from custom

      A CRD is better for ordinary application objects and for operators: it needs no server and no certificates. Use the
      aggregation layer for data from other systems, your own storage, subresources and protocols that a CRD lacks, or views
      that differ by tenant.
      More: apisvc explain crd-or-apiservice

      ✔ API that the server serves (group/version) my.example.com/v1
      ✔ Container image of the server example.com/api:v1
      ✔ Name of the server demo
      ✔ Namespace apis
      ✔ Name of the Service demo
      ✔ Issuer of the serving certificate self-signed

      Files to write:
        demo/apisvc.yaml                       the configuration; edit this file
        demo/.apisvc/registration.schema.json  JSON Schema of apisvc.yaml for editors
        demo/certs/.gitignore                  keeps the private keys out of Git
        demo/certs/ca.crt                      the CA certificate, which becomes the caBundle
        demo/certs/ca.key                      private key of the CA, mode 0600
        demo/certs/tls.crt                     the serving certificate
        demo/certs/tls.key                     private key of the serving certificate, mode 0600

      Equivalent command without prompts:
        apisvc init demo --preset custom --api my.example.com/v1 --image example.com/api:v1 --name demo --namespace apis --ser
      vice demo

      ? Write these 7 files? (yes)
      Answer yes or no. No file has been written yet."
    `);
    expect(readdirSync(cwd)).toEqual([]);
    screen.type('Enter');
    const seen = await screen.until(/exit code/);
    expect(seen).toMatch(
      /created demo\/certs\/tls\.key[\s\S]*v1\.my\.example\.com will be served by Service apis\/demo\.[\s\S]*exit code 0/,
    );
    expect(seen.match(/Equivalent command without prompts:/g)).toHaveLength(2);
  });

  test('the equivalent command makes the same project without prompts', async () => {
    const cwd = folder();
    const screen = terminal('mkdir first; cd first; apisvc init demo > ../said', cwd);
    expect(await answer(screen, 8)).toContain('exit code 0');
    expect(readFileSync(join(cwd, 'said'), 'utf8')).toContain(`Equivalent command without prompts:\n  ${command}\n`);
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

  test('each prompt says why it matters', async () => {
    const screen = terminal('apisvc init demo', folder());
    for (const [at, why] of [
      /A preset fills in apisvc\.yaml for a known server\.[\s\S]*❯ custom[\s\S]*demo\n+Your own API server\n/,
      /\? API .*\nClients request \/apis\/GROUP\/VERSION\./,
      /\? Container image .*\nThe pods run this image\./,
      /\? Name of the server .*\nThe Deployment, ServiceAccount and RBAC objects get this name\./,
      /\? Namespace .*\nThe serving certificate contains the namespace\./,
      /\? Name of the Service .*\nkube-apiserver connects to this Service\./,
      /\? Issuer of the serving [\s\S]*The issuer determines who renews[\s\S]*❯ self-signed[\s\S]*apisvc creates a CA for this server only\./,
    ].entries()) {
      const [question = /never/, text] = questions[at] ?? [];
      expect(await screen.until(question)).toMatch(why);
      screen.type(...(text ? [text] : []), 'Enter');
    }
  });

  test('a complete preset: only the preset and the confirmation', async () => {
    const cwd = folder();
    const screen = terminal('apisvc init demo --key-type ecdsa-p384 --no-name-constraints --dns a.example.com', cwd);
    await screen.until(/\? Preset to start from/);
    screen.type('Down');
    await screen.until(/❯ sample-apiserver[\s\S]*The Kubernetes sample API server, with an etcd container/);
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

  test('a webhook of cert-manager: the same prompts, with the namespace of cert-manager', async () => {
    const screen = terminal('apisvc init demo --preset dns-webhook --issuer self-signed', folder());
    const asked = await screen.until(/\? API that the server serves/);
    expect(asked).toContain('Issuers refer to this group in groupName.');
    expect(asked).not.toContain('CRD');
    screen.type('acme.example.com/v1alpha1', 'Enter');
    await screen.until(/\? Container image of the server/);
    screen.type('example.com/webhook:v1', 'Enter');
    for (const question of [/\? Name of the server \(demo\)/, /\? Namespace \(cert-manager\)/, /\? Name of the Service \(demo\)/]) {
      await screen.until(question);
      screen.type('Enter');
    }
    expect((await screen.until(/\? Write these 7 files\?/)).replaceAll('\n', '')).toContain(
      'apisvc init demo --preset dns-webhook --api acme.example.com/v1alpha1 --image example.com/webhook:v1 --name demo --namespace cert-manager',
    );
  });

  test('flags answer prompts; the others remain', async () => {
    const screen = terminal('apisvc init demo --api a.example.com/v1 --api a.example.com/v2 --namespace apis', folder());
    const seen = await screen.until(/\? Container image of the server/);
    expect(seen).not.toMatch(/Preset|API that|CRD/);
    screen.type('example.com/api:v1', 'Enter');
    await screen.until(/\? Name of the server \(demo\)/);
    screen.type('api', 'Enter');
    expect(await screen.until(/\? Name of the Service \(api\)/)).not.toContain('Namespace');
    screen.type('Enter');
    await screen.until(/\? Issuer of the serving certificate/);
    screen.type('Enter');
    const plan = await screen.until(/\? Write these 7 files\?/);
    expect(plan.replaceAll('\n', '')).toContain(
      '--api a.example.com/v1 --api a.example.com/v2 --image example.com/api:v1 --name api --namespace apis',
    );
  });

  test('the plan shows which files it replaces', async () => {
    const cwd = folder();
    await sampleProject(cwd);
    const screen = terminal('apisvc init demo --force --force-keys', cwd);
    await screen.until(/\? Preset/);
    screen.type('Enter');
    await screen.until(/\? API/);
    screen.type('my.example.com/v1', 'Enter');
    await screen.until(/\? Container image/);
    screen.type('x', 'Enter');
    for (const question of [/\? Name of the server/, /\? Namespace/, /\? Name of the Service/, /\? Issuer of the serving/]) {
      await screen.until(question);
      screen.type('Enter');
    }
    expect(await screen.until(/\? Write these 7 files\?/)).toMatch(
      /demo\/certs\/ca\.key +private key of the CA, mode 0600; replaces the existing file/,
    );
  });
});

describe('no prompts', () => {
  test('with --yes, and in CI', async () => {
    const cwd = folder();
    const missing = /error: required flag "--preset" not set\nfix: Add --preset NAME\. [\s\S]*exit code 2/;
    expect(await terminal('apisvc init demo --yes', cwd).until(/exit code/)).toMatch(missing);
    expect(await terminal('CI=true; export CI; apisvc init demo', cwd).until(/exit code/)).toMatch(missing);
    const custom = await terminal('apisvc init demo --yes --preset custom', cwd).until(/exit code/);
    expect(custom).toMatch(
      /^error: required flags "--api", "--image" not set\nfix: Add --api GROUP\/VERSION --image IMAGE\.\nexit code 2$/,
    );
    expect(readdirSync(cwd)).toEqual([]);
  });
});
