import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { pasteIn, registeredDemo } from './harness.ts';

/** A copy of a project, such as an old clone, whose certificates were rotated in another copy. */

/** A registered project, and a copy that was made before its certificate was rotated. */
async function rotatedElsewhere() {
  const { cwd, box, run } = await registeredDemo();
  cpSync(join(cwd, 'demo'), join(cwd, 'stale'), { recursive: true });
  const file = join(cwd, 'demo', 'apisvc.yaml');
  writeFileSync(file, readFileSync(file, 'utf8').replace('lifetime: 365d', 'lifetime: 5d'));
  expect(await run('rotate', '-C', 'demo')).toMatchObject({ code: 0 });
  const same = () => run('verify', '-C', 'demo', '-o', 'short');
  /** Runs the commands of a fix, as they stand in the error. */
  const paste = (fix: string | undefined) => pasteIn(cwd, box.env, fix ?? '');
  return { run, cwd, same, paste };
}

const lineAfter = (start: string, text: string): string | undefined =>
  text
    .split('\n')
    .find((line) => line.includes(start))
    ?.split(': ')
    .at(-1);

test('register refuses to put an older certificate back, and names both and the way out', async () => {
  const { run, cwd, same, paste } = await rotatedElsewhere();
  const refused = await run('register', '-C', 'stale');
  expect(refused).toMatchObject({ code: 1, stdout: '' });
  expect(refused.stderr).toMatch(/error: the cluster has a newer certificate than this copy of the project:\n {2}Secret demo\/demo-tls: /);
  expect(refused.stderr).toMatch(/ {2}stale\/certs\/tls\.crt: CN=demo\.demo\.svc, SHA-256 \S+, issued on \S+, expires on \S+\n/);
  expect(refused.stderr).toContain('nothing was changed\n');
  for (const flags of [['--dry-run=server'], ['--diff'], ['--only', 'secrets']]) {
    expect(await run('register', '-C', 'stale', ...flags)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('a newer certificate'),
    });
  }
  expect(await same()).toMatchObject({ code: 0 });

  const fix = lineAfter('replace the files of this copy', refused.stderr);
  expect(await paste(fix)).toMatchObject({
    exitCode: 0,
    stderr: expect.stringContaining('using the certificate and the key in Secret'),
  });
  expect(await run('rotate', '-C', 'stale', '--if-expires-within', '1d')).toMatchObject({ code: 0 });
  expect(readFileSync(join(cwd, 'stale', 'certs', 'tls.crt'), 'utf8')).toBe(readFileSync(join(cwd, 'demo', 'certs', 'tls.crt'), 'utf8'));
  expect(await run('rotate', '-C', 'stale')).toMatchObject({ code: 0 });
});

test('a copy that got the certificates without the keys is told to delete the old key', async () => {
  const { run, cwd, paste } = await rotatedElsewhere();
  // What git pull does.
  cpSync(join(cwd, 'demo', 'certs', 'tls.crt'), join(cwd, 'stale', 'certs', 'tls.crt'));
  const refused = await run('register', '-C', 'stale');
  expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('error: stale/certs/tls.key: the private key does not match') });
  expect(await paste(lineAfter('delete the old key', refused.stderr))).toMatchObject({ exitCode: 0 });
  expect(await run('register', '-C', 'stale')).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Nothing changed: /) });
});

test('rotate --if-expires-within judges by the certificate in the cluster, and nothing advises to roll back', async () => {
  const { run } = await rotatedElsewhere();
  for (const flags of [[], ['--dry-run'], ['--ca']]) {
    const refused = await run('rotate', '-C', 'stale', '--if-expires-within', '30d', ...flags);
    expect(refused).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('the cluster has a newer certificate') });
  }
  const refused = await run('rotate', '-C', 'stale');
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('the cluster has a newer certificate') });
  const fine = await run('rotate', '-C', 'stale', '--if-expires-within', '1d');
  expect(fine).toMatchObject({
    code: 0,
    stderr: expect.stringContaining('note: stale/certs/tls.crt is a different certificate than the one in the cluster\n'),
  });
  const [, until = ''] = /valid until (\S+)\. Nothing changed/.exec(fine.stdout) ?? [];
  expect(Date.parse(until) - Date.now()).toBeLessThan(6 * 86_400_000);
  for (const command of ['status', 'verify']) {
    const { stdout } = await run(command, '-C', 'stale');
    expect(stdout).toContain('cert/not-project-certificate');
    expect(stdout).not.toContain('apisvc register');
    expect(stdout).toContain('git pull');
  }
});

test('a copy from before a new CA is refused too, with and without its keys', async () => {
  const { run, cwd, paste } = await rotatedElsewhere();
  expect(await run('unregister', '-C', 'demo', '--yes')).toMatchObject({ code: 0 });
  expect(await run('init', 'demo', '--force-keys', '--yes')).toMatchObject({ code: 0 });
  expect(await run('register', '-C', 'demo')).toMatchObject({ code: 0 });
  cpSync(join(cwd, 'stale'), join(cwd, 'clone'), { recursive: true });
  for (const key of ['tls.key', 'ca.key']) rmSync(join(cwd, 'clone', 'certs', key));
  for (const copy of ['stale', 'clone']) {
    const refused = await run('register', '-C', copy);
    expect(refused).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('a newer certificate than this copy of the project, signed by another CA'),
    });
    expect(refused.stderr).toMatch(
      new RegExp(`caBundle of the APIService: CN=\\S+ CA, SHA-256[\\s\\S]* ${copy}/certs/ca\\.crt: CN=\\S+ CA, SHA-256`),
    );
    expect(refused.stderr).not.toContain('--force-keys');
    expect((await run('status', '-C', copy)).stdout).not.toContain('apisvc register');
    expect(await paste(lineAfter('replace the files of this copy', refused.stderr))).toMatchObject({ exitCode: 0 });
  }
  expect(await run('verify', '-C', 'demo')).toMatchObject({ code: 0 });

  cpSync(join(cwd, 'stale', 'certs.old'), join(cwd, 'stale', 'certs'), { recursive: true, force: true });
  expect(await run('unregister', '-C', 'demo', '--keep-secrets', '--yes')).toMatchObject({ code: 0 });
  const gone = await run('register', '-C', 'stale');
  expect(gone).toMatchObject({ code: 1, stderr: expect.stringContaining('ca.crt in Secret demo/demo-tls: CN=') });
  rmSync(join(cwd, 'stale', 'certs.old'), { recursive: true });
  expect(await paste(lineAfter('replace the files of this copy', gone.stderr))).toMatchObject({ exitCode: 0 });
  expect(await run('verify', '-C', 'demo')).toMatchObject({ code: 0 });
});
