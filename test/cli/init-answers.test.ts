import { readdirSync } from 'node:fs';
import { beforeEach, describe, expect, test } from 'vitest';
import { folder } from '../unit/project/folder.ts';
import { answer, questions } from './init-dialogue.ts';
import { hasTmux, terminal } from './tmux.ts';

beforeEach((context) => context.skip(!hasTmux, 'NOT TESTED: the questions of init (needs tmux)'));

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
