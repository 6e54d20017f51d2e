import { expect, onTestFinished, test } from 'vitest';
import { connect } from '../../src/cluster/cluster.ts';
import { grant } from './granting.ts';
import { registeredDemo } from './harness.ts';

test('what rotate --as prints is enough, also for the checks at the end', async () => {
  const { box, run } = await registeredDemo();
  const cluster = await connect({ kubeconfig: box.env.KUBECONFIG }, {}, AbortSignal.timeout(230_000));
  onTestFinished(() => cluster.close());
  const refused = await run('rotate', '-C', 'demo', '--as', 'jane');
  expect(refused).toMatchObject({ code: 3, stdout: '' });
  expect(await grant(cluster, refused.stderr)).toContain('list *');
  const { code, stdout, stderr } = await run('rotate', '-C', 'demo', '--as', 'jane');
  expect({ code, stderr }).toMatchObject({ code: 0 });
  expect(stdout).toContain('healthy');
});
