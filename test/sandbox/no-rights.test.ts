import { expect, test } from 'vitest';
import { apisvc } from '../cli/apisvc.ts';
import { emptyFolder, startSandbox } from './harness.ts';

const name = 'v1alpha1.demo.apisvc.dev';

test('what a user without permissions reads has no gaps, and at most one command to paste', async () => {
  const cwd = emptyFolder();
  const box = await startSandbox(['--empty'], cwd);
  const run = (...args: string[]) => apisvc(args, { cwd, env: box.env });
  expect(await run('init', 'demo', '--preset', 'demo', '--yes')).toMatchObject({ code: 0 });
  expect(await run('register', '-C', 'demo')).toMatchObject({ code: 0 });
  for (const args of [
    ['register', '-C', 'demo'],
    ['register', '-C', 'demo', '--dry-run=server'],
    ['rotate', '-C', 'demo'],
    ['rotate', '-C', 'demo', '--ca', '--dry-run'],
    ['rotate', '-C', 'demo', '--abort'],
    ['secure', name, '--yes'],
    ['secure', name, '--undo', '--yes'],
    ['unregister', '-C', 'demo', '--yes'],
    ['unregister', '-C', 'demo', '--dry-run=client'],
    ['unregister', 'demo/demo', '--yes'],
    ['unregister', name, '--yes'],
    ['unregister', '--leftovers'],
    ['verify', name],
    ['verify', '-C', 'demo'],
    ['status', name],
    ['status', '-C', 'demo'],
  ]) {
    const { code, stdout, stderr } = await run(...args, '--as', 'jane');
    const output = stdout + stderr;
    expect({ args, code, output }).toMatchObject({ code: args[0] === 'verify' ? expect.toBeOneOf([1, 3]) : 3 });
    expect({ args, output }).toMatchObject({ output: expect.not.stringMatching(/undefined|null|NaN|\[object|namespace (:|$)/m) });
    expect({ args, commands: output.split('auth reconcile').length - 1 }).toMatchObject({ commands: expect.toBeOneOf([0, 1]) });
  }
});
