import { expect, test } from 'vitest';
import { answer, serve } from '../unit/cluster/kube-api.ts';
import { expectGone, hanging, withPlugin } from '../unit/cluster/plugin.ts';
import { apisvc } from './apisvc.ts';
import { hasTmux, terminal } from './tmux.ts';

test('the deadline ends a credential plugin that hangs', async () => {
  const { dir, config } = withPlugin(hanging);
  const ran = await apisvc(['verify', 'v1.example.com', '--kubeconfig', config, '--timeout', '1s'], { cwd: dir });
  expect(ran).toMatchObject({
    code: 124,
    stdout: '',
    stderr: expect.stringMatching(/^error: timed out after 1s [^\n]+: the credential plugin "[^"]+" did not finish\nfix: [^\n]+\n$/),
  });
  await expectGone(dir);
});

test.runIf(hasTmux)('a plugin can ask for a login at a terminal', async () => {
  const sent = new Set<string | undefined>();
  const server = await serve(({ headers }, response) => {
    sent.add(headers.authorization);
    answer(response, 401, '');
  });
  const credential = '{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": "%s"}}';
  const script = `printf 'Enter the code: ' >&2; read code; printf '${credential}' "$code"`;
  const { dir, config } = withPlugin(script, { interactiveMode: 'IfAvailable' }, server);
  const screen = terminal(`apisvc verify v1.example.com --kubeconfig '${config}'`, dir);
  await screen.until(/Enter the code:$/);
  screen.type('s3same', 'Enter');
  expect(await screen.until(/exit code/)).toMatch(/error: [^\n]+rejects the credentials of user "test"[\s\S]*exit code 3/);
  expect([...sent]).toEqual(['Bearer s3same']);
});
