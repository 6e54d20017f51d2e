import { readdirSync } from 'node:fs';
import { beforeEach, describe, expect, test } from 'vitest';
import { folder } from '../unit/project/folder.ts';
import { answer, questions } from './init-dialogue.ts';
import { hasTmux, terminal } from './tmux.ts';

beforeEach((context) => context.skip(!hasTmux, 'NOT TESTED: the prompts of init (needs tmux)'));

test.each(questions.map(([question], at) => [question.source.replaceAll('\\', ''), at] as const))(
  'Ctrl-C at "%s": exit 130, no files, terminal modes restored',
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
  test('show the errors of Kubernetes while they are typed', async () => {
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

  test('are not accepted, and stay for correction', async () => {
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

  test('include an empty one where there is no default', async () => {
    const screen = terminal('apisvc init demo', folder());
    const asked = await answer(screen, 1);
    expect(asked).not.toContain('> ');
    screen.type('Enter');
    await screen.until(/\? API[\s\S]*> must not be empty/);
  });

  test('a name that is not valid for a Service is not its default', async () => {
    const screen = terminal('apisvc init demo --api my.example.com/v1', folder());
    await screen.until(/\? Container image/);
    screen.type('a b');
    await screen.until(/> must be an image reference: /);
    screen.type('C-u', 'example.com/api:v1', 'Enter');
    await screen.until(/\? Name of the server/);
    screen.type('1api', 'Enter');
    await screen.until(/\? Namespace \(1api\)/);
    screen.type('Enter');
    await screen.until(/\? Name of the Service\n/);
  });

  test('no: nothing is written, exit 1, and the equivalent command', async () => {
    const cwd = folder();
    const screen = terminal('apisvc init demo', cwd);
    await answer(screen, 7);
    screen.type('perhaps', 'Enter');
    await screen.until(/\? Write these 7 files\? perhaps\n[\s\S]*> must be yes or no/);
    screen.type('C-u', 'no', 'Enter');
    const seen = await screen.until(/exit code/);
    expect(seen).toMatch(/error: Aborted; no files written\.\nfix: Change the flags and run: apisvc init demo --preset custom/);
    expect(seen).toMatch(/exit code 1$/);
    expect(readdirSync(cwd)).toEqual([]);
  });
});

describe('layout', () => {
  test('a terminal of 40 columns does not break words', async () => {
    const screen = terminal('apisvc init demo', folder(), 40);
    await screen.until(/\? Preset/);
    screen.type('Enter');
    await screen.until(/\? API/);
    screen.type('My_Group.example.com/v1alpha1');
    expect(await screen.until(/v1alpha1\n[\s\S]*> group:/)).toMatchInlineSnapshot(`
      "✔ Preset to start from custom

      A CRD is better for ordinary application
      objects and for operators: it needs no
      server and no certificates. Use the
      aggregation layer for data from other
      systems, your own storage, subresources
      and protocols that a CRD lacks, or views
      that differ by tenant.
      More: apisvc explain crd-or-apiservice

      ? API that the server serves
      (group/version)
        My_Group.example.com/v1alpha1
      Clients request /apis/GROUP/VERSION.
      Choose a group in a domain you own.
      Separate several APIs with commas.
      > group: a lowercase RFC 1123 subdomain
      must consist of lower case alphanumeric
      characters, '-' or '.', and must start
      and end with an alphanumeric character"
    `);
    screen.type('Home', 'DC', 'm');
    await screen.until(/my_Group/);
    screen.type('C-e', 'C-u');
    screen.type('my.example.com/v1', 'Enter');
    for (const [question, text] of questions.slice(2, 7)) {
      await screen.until(question);
      screen.type(...(text === '' ? [] : [text]), 'Enter');
    }
    expect(await screen.until(/\? Write these 7 files\?/)).toMatchInlineSnapshot(`
      "✔ Preset to start from custom

      A CRD is better for ordinary application
      objects and for operators: it needs no
      server and no certificates. Use the
      aggregation layer for data from other
      systems, your own storage, subresources
      and protocols that a CRD lacks, or views
      that differ by tenant.
      More: apisvc explain crd-or-apiservice

      ✔ API that the server serves
      (group/version) my.example.com/v1
      ✔ Container image of the server
      example.com/api:v1
      ✔ Name of the server demo
      ✔ Namespace apis
      ✔ Name of the Service demo
      ✔ Issuer of the serving certificate
      self-signed

      Files to write:
        demo/apisvc.yaml
          the configuration; edit this file
        demo/.apisvc/registration.schema.json
          JSON Schema of apisvc.yaml for
          editors
        demo/certs/.gitignore
          keeps the private keys out of Git
        demo/certs/ca.crt
          the CA certificate, which becomes
          the caBundle
        demo/certs/ca.key
          private key of the CA, mode 0600
        demo/certs/tls.crt
          the serving certificate
        demo/certs/tls.key
          private key of the serving
          certificate, mode 0600

      Equivalent command without prompts:
        apisvc init demo --preset custom --api
       my.example.com/v1 --image example.com/a
      pi:v1 --name demo --namespace apis --ser
      vice demo

      ? Write these 7 files? (yes)
      Answer yes or no. No file has been
      written yet."
    `);
  });

  const csi = '\u001b[';
  test('in color', async () => {
    const screen = terminal('apisvc init demo', folder());
    await answer(screen, 1);
    screen.type('My_');
    await screen.until(/> group/);
    expect(screen.readColors().replaceAll(csi, '')).toMatch(/31m(49m)?> group:/);
  });

  test.each(['NO_COLOR=1; export NO_COLOR; apisvc init demo', 'apisvc --no-color init demo'])('%s: no colors', async (script) => {
    const screen = terminal(script, folder());
    await screen.until(/\? Preset/);
    expect(screen.readColors()).not.toContain(csi);
    await answer(screen, 1);
    screen.type('My_');
    await screen.until(/> group/);
    expect(screen.readColors()).not.toContain(csi);
    screen.type('C-u');
    screen.type('my.example.com/v1', 'Enter');
    for (const [question, text] of questions.slice(2, 8)) {
      await screen.until(question);
      screen.type(...(text === '' ? [] : [text]), 'Enter');
    }
    await screen.until(/exit code 0/);
    expect(screen.readColors()).not.toContain(csi);
  });
});
