import { expect, test } from 'vitest';
import { expectGone, hanging, withPlugin } from '../unit/cluster/plugin.ts';
import { apisvc } from './apisvc.ts';

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
