import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { projectFiles } from '../../../src/project/project.ts';
import { keyTraces, tracesIn } from '../../unit/pki/key-traces.ts';
import { type AnyApiProject, installAnyApiProject, removeAnyApiProject } from '../harness/any-api-project.ts';
import { apisvc } from '../harness/commands.ts';
import { editConfiguration, kubectlOk, waitForOutput } from '../harness/projects.ts';
import { expectAgreement, expectNoFailure, rotateOk, rotateRefused, underLoad } from '../harness/rotations.ts';
import { signalAfter } from '../harness/signal-after.ts';
import { isThorough } from '../harness/thorough.ts';

/** Lost keys: the command says what is possible, and does it. */

describe('a project that lost a key', () => {
  let project: AnyApiProject;
  beforeAll(async () => {
    project = await installAnyApiProject({ name: 'lost-keys', replicas: 1 });
  });

  afterAll(() => removeAnyApiProject(project, 'lost-keys'));

  test('of the CA gets a new CA, because the old one signs no more', async () => {
    const { caKey } = projectFiles(project.dir);
    rmSync(caKey);
    expect(await rotateRefused(project)).toEqual({
      exitCode: 2,
      stdout: '',
      errors: `error: ${caKey} not found; rotate needs the private key of the CA to sign the new serving certificate\nfix: Restore the file, or pass the key with --keys. To create a new CA: apisvc rotate -C ${project.dir} --ca\n`,
    });
    await rotateOk(project, '--ca', '--soak', '0s');
    await expectAgreement(project, 'lost-keys');
    expect(statSync(caKey).mode & 0o777).toBe(0o600);
  });

  test('of the certificate gets it from the Secret, so that there is a way back', async () => {
    const { key } = projectFiles(project.dir);
    const before = readFileSync(key, 'utf8');
    rmSync(key);
    const restored = new RegExp(`note: ${key} not found; restored it from Secret lost-keys/lost-keys-tls[\\s\\S]*==> Writing`);
    const { stderr } = await apisvc(['rotate', '-C', project.dir], { env: signalAfter(restored, isThorough ? 'SIGKILL' : 'SIGINT') });
    expect(stderr).toMatch(restored);
    expect(readFileSync(key, 'utf8')).toBe(before);
    expect(statSync(key).mode & 0o777).toBe(0o600);
    await rotateOk(project, '--abort');
    await expectAgreement(project, 'lost-keys');
  });

  test('or has other ones since init --force-keys is refused by register, and gets new ones as the error says', async () => {
    const { dir } = project;
    // The certificate in the cluster lacks the name.
    editConfiguration(dir, (document) => document.setIn(['spec', 'certificates', 'dnsNames'], ['lost-keys.example.com']));
    const report = await underLoad(project, async () => {
      expect(await apisvc(['init', dir, '--force-keys', '--yes'])).toMatchObject({ exitCode: 0 });
      for (const parts of [[], ['--only', 'secrets,apiservices']]) {
        const { exitCode, stderr } = await apisvc(['register', '-C', dir, ...parts]);
        expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: expect.stringContaining('nothing was changed\nfix: Move certs') });
        expect(stderr).toContain(`  mv ${dir}/certs ${dir}/certs.old && apisvc rotate -C ${dir} --ca\n`);
      }
      renameSync(join(dir, 'certs'), join(dir, 'certs.old'));
      await rotateOk(project, '--ca', '--soak', '0s', '--nudge');
    });
    expectNoFailure(report);
    await expectAgreement(project, 'lost-keys');
  });

  test('never prints one', async () => {
    const outputs: string[] = [];
    const keys = new Set<string>();
    const addKeys = (...path: readonly string[]): void => {
      for (const key of keysIn(join(project.dir, 'certs', ...path))) keys.add(key);
    };
    const runCommand = async (command: string, ...args: readonly string[]): Promise<void> => {
      const { stdout, stderr } = await apisvc([command, '-C', project.dir, '-v', ...args], { timeout: 120_000 });
      outputs.push(stdout, stderr);
      addKeys();
    };
    const run = (...args: readonly string[]): Promise<void> => runCommand('rotate', ...args);
    addKeys();
    await run('--dry-run');
    await run('--ca', '--dry-run', '-o', 'json');
    editConfiguration(project.dir, (document) => document.setIn(['spec', 'certificates', 'issuer', 'caKey'], 'secret'));
    await runCommand('register', '--diff');
    await runCommand('register');
    expect(existsSync(projectFiles(project.dir).caKey)).toBe(false);
    await run('--dry-run');
    const running = apisvc(['rotate', '-C', project.dir, '-v', '--ca', '--soak', '60s'], { timeout: 120_000 });
    await waitForOutput(running, /==> Watching/);
    outputs.push(await kubectlOk(['get', 'leases', '-n', 'lost-keys', '-o', 'yaml']));
    addKeys('next');
    const { data } = JSON.parse(await kubectlOk(['get', 'secret', '-n', 'lost-keys', 'lost-keys-ca', '-o', 'json']));
    for (const entry of ['tls.key', 'next.key']) keys.add(Buffer.from(data[entry], 'base64').toString());
    running.kill('SIGINT');
    const interrupted = await running;
    expect(interrupted).toMatchObject({ exitCode: 130, stderr: expect.stringContaining('or roll back: apisvc rotate -C ') });
    outputs.push(interrupted.stdout, interrupted.stderr);
    await run('--abort', '--soak', '0s', '-o', 'json');
    await run('-o', 'json');
    const text = outputs.join('\n');
    // Both keys in use before, both of the rotation that was aborted, and the one in use now.
    expect(keys.size).toBe(5);
    const traces = [...keys].flatMap(keyTraces);
    const secret = await kubectlOk(['get', 'secret', '-n', 'lost-keys', 'lost-keys-tls', '-o', 'json']);
    expect(tracesIn(secret, traces)).not.toEqual([]);
    expect(text).not.toContain('PRIVATE KEY');
    expect(tracesIn(text, traces)).toEqual([]);
    expect(text).toContain('Plan to rotate');
    // The interrupted run gave its Lease up, so that the next one did not have to wait.
    expect(text).not.toContain('holds the Lease of the Service');
    await expectAgreement(project, 'lost-keys');
  });
});

const keysIn = (dir: string): string[] =>
  readdirSync(dir)
    .filter((name) => name.endsWith('.key'))
    .map((name) => readFileSync(join(dir, name), 'utf8'));
