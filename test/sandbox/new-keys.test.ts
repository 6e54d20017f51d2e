import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { pasteIn, registeredDemo } from './harness.ts';

test('init --force-keys breaks no API that works: register and rotate name the command that does it', async () => {
  const { cwd, box, run } = await registeredDemo();
  const file = join(cwd, 'demo', 'apisvc.yaml');
  const text = readFileSync(file, 'utf8');
  // The certificate in the cluster lacks the name.
  writeFileSync(file, text.replace(/^( +)lifetime: 365d$/m, '$1lifetime: 365d\n$1dnsNames: [demo.example.com]'));
  expect(readFileSync(file, 'utf8')).not.toBe(text);
  expect(await run('init', 'demo', '--force-keys', '--yes')).toMatchObject({ code: 0 });
  const status = await run('status', '-C', 'demo');
  expect(status).toMatchObject({
    code: 1,
    stdout: expect.stringContaining('  mv demo/certs demo/certs.old && apisvc rotate -C demo --ca'),
  });
  expect(status.stdout).not.toContain('apisvc register');
  let errors = '';
  for (const command of ['register', 'register --dry-run=server', 'register --diff', 'register --only secrets', 'rotate', 'rotate --ca']) {
    const [name = '', ...flags] = command.split(' ');
    const { code, stdout, stderr } = await run(name, '-C', 'demo', ...flags);
    errors = stderr.slice(stderr.indexOf('error: '));
    expect({ command, code, stdout, errors }).toEqual({
      ...{ command, code: 1, stdout: '' },
      errors: expect.stringMatching(/^error: APIService v1\S+ works, but its caBundle [\s\S]*\nnothing was changed\nfix: Move certs/),
    });
  }
  const fix = errors.split('\n').find((line) => line.includes('rotate')) ?? '';
  expect(fix).toBe('  mv demo/certs demo/certs.old && apisvc rotate -C demo --ca');
  // The version that apisvc.yaml no longer lists leads to the same Service.
  const changed = readFileSync(file, 'utf8');
  writeFileSync(file, changed.replace(/version: v1alpha1$/m, 'version: v1beta1'));
  expect(readFileSync(file, 'utf8')).not.toBe(changed);
  expect(await run('register', '-C', 'demo')).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/error: APIService v1alpha1\S+ works[\s\S]*\nnothing was changed\nfix: Move certs/),
  });
  writeFileSync(file, changed);
  expect(await run('verify', '-C', 'demo')).toMatchObject({ code: 0 });
  // The simulation has no Lease of a kube-apiserver, so that a rotation of the CA takes minutes.
  const planned = await pasteIn(cwd, box.env, `${fix} --dry-run`);
  expect(planned).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('Trusting both CAs') });
});
