import { expect, test } from 'vitest';
import { registeredDemo } from './harness.ts';

const name = 'v1alpha1.demo.apisvc.dev';

test('what a user without permissions reads has no gaps, and at most one command to paste', async () => {
  const { run } = await registeredDemo();
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
