import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { projectFiles } from '../../../src/project/project.ts';
import { type AnyApiProject, makeAnyApiProject, registerAnyApiProject } from '../harness/any-api-project.ts';
import { apisvc, kubectl } from '../harness/commands.ts';
import { editConfiguration, kubectlOk, waitForOutput } from '../harness/projects.ts';
import { expectAgreement, expectNoFailure, placesOf, rotateOk, underLoad } from '../harness/rotations.ts';

/** Expired certificates and lost keys: the command says what is possible, and does it. */

const projects: AnyApiProject[] = [];

async function registered(name: string): Promise<AnyApiProject> {
  const project = await makeAnyApiProject({ name, replicas: 1 });
  projects.push(project);
  await registerAnyApiProject(project);
  return project;
}

afterAll(async () => {
  for (const { apiService } of projects) await kubectl(['delete', 'apiservice', apiService, '--ignore-not-found']);
  await kubectl(['delete', 'namespace', 'lost-keys', 'expired', 'wrong-clock', '--ignore-not-found', '--wait=false']);
});

/** Variables that set the clock of Node.js, but not of kube-apiserver. */
const clockAhead = (ms: number) => ({
  NODE_OPTIONS: `--import=${join(import.meta.dirname, '..', 'harness', 'shifted-clock.mjs')}`,
  CLOCK_AHEAD_MS: String(ms),
});

const refusal = async ({ dir }: AnyApiProject, ...flags: readonly string[]) => {
  const { exitCode, stdout, stderr } = await apisvc(['rotate', '-C', dir, ...flags]);
  return { exitCode, stdout, errors: stderr.slice(stderr.indexOf('error: ')) };
};

describe('a project that lost a key', () => {
  let project: AnyApiProject;
  beforeAll(async () => {
    project = await registered('lost-keys');
  });

  test('of the CA gets a new CA, because the old one signs no more', async () => {
    const { caKey } = projectFiles(project.dir);
    rmSync(caKey);
    expect(await refusal(project)).toEqual({
      exitCode: 2,
      stdout: '',
      errors: `error: ${caKey} not found; a new serving certificate needs the CA\nfix: Restore the file. To make a new CA: apisvc rotate -C ${project.dir} --ca\n`,
    });
    await rotateOk(project, '--ca', '--soak', '0s');
    await expectAgreement(project, 'lost-keys');
    expect(statSync(caKey).mode & 0o777).toBe(0o600);
  });

  test('of the certificate gets it from the Secret, so that there is a way back', async () => {
    const { key } = projectFiles(project.dir);
    const before = readFileSync(key, 'utf8');
    rmSync(key);
    const running = apisvc(['rotate', '-C', project.dir]);
    await waitForOutput(running, new RegExp(`note: ${key} not found; restored it from Secret lost-keys/lost-keys-tls[\\s\\S]*==> Writing`));
    running.kill('SIGKILL');
    await running;
    expect(readFileSync(key, 'utf8')).toBe(before);
    expect(statSync(key).mode & 0o777).toBe(0o600);
    await rotateOk(project, '--abort');
    await expectAgreement(project, 'lost-keys');
  });

  test('never prints one', async () => {
    const outputs: string[] = [];
    const keys = new Set<string>();
    const run = async (...args: readonly string[]): Promise<void> => {
      const { stdout, stderr } = await apisvc(['rotate', '-C', project.dir, '-v', ...args], { timeout: 120_000 });
      outputs.push(stdout, stderr);
      for (const line of keysIn(join(project.dir, 'certs'))) keys.add(line);
    };
    for (const line of keysIn(join(project.dir, 'certs'))) keys.add(line);
    await run('--dry-run');
    await run('--ca', '--dry-run', '-o', 'json');
    const running = apisvc(['rotate', '-C', project.dir, '-v', '--ca', '--soak', '60s'], { timeout: 120_000 });
    await waitForOutput(running, /==> Watching/);
    outputs.push(await kubectlOk(['get', 'leases', '-n', 'lost-keys', '-o', 'yaml']));
    for (const line of keysIn(join(project.dir, 'certs', 'next'))) keys.add(line);
    running.kill('SIGINT');
    const interrupted = await running;
    expect(interrupted).toMatchObject({ exitCode: 130, stderr: expect.stringContaining('or go back: apisvc rotate -C ') });
    outputs.push(interrupted.stdout, interrupted.stderr);
    await run('--abort', '--soak', '0s', '-o', 'json');
    await run('-o', 'json');
    const text = outputs.join('\n');
    expect(keys.size).toBeGreaterThan(6);
    expect(text).not.toContain('PRIVATE KEY');
    expect([...keys].filter((line) => text.includes(line))).toEqual([]);
    expect(text).toContain('Plan to rotate');
    // The interrupted run gave its Lease up, so that the next one did not have to wait.
    expect(text).not.toContain('holds the Lease of the rotation');
    await expectAgreement(project, 'lost-keys');
  });
});

/** The lines of all private keys in a directory, without those that all keys have. */
function keysIn(dir: string): string[] {
  const files = readdirSync(dir).filter((name) => name.endsWith('.key'));
  return files.flatMap((name) =>
    readFileSync(join(dir, name), 'utf8')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('-'))
      .slice(1),
  );
}

describe('an expired certificate', () => {
  let project: AnyApiProject;
  /** kubectl owns what it replaced. */
  const takeOver = '--force-conflicts';

  const replace = async (ref: readonly string[], edit: (object: { readonly spec?: object }) => object) =>
    kubectlOk(['replace', '-f', '-'], edit(JSON.parse(await kubectlOk(['get', ...ref, '-o', 'json']))));

  /**
   * Puts certificates that a clock of yesterday made into every place, and waits until the pod
   * serves them.
   */
  const serveYesterdays = async (lifetime: string, caLifetime: string) => {
    const lifetimes = (leaf: string, ca: string) =>
      editConfiguration(project.dir, (document) => {
        document.setIn(['spec', 'certificates', 'lifetime'], leaf);
        document.setIn(['spec', 'certificates', 'issuer', 'caLifetime'], ca);
      });
    lifetimes(lifetime, caLifetime);
    const made = await apisvc(['init', project.dir, '--force-keys', '--yes'], { env: clockAhead(-86_400_000) });
    expect(made).toMatchObject({ exitCode: 0 });
    lifetimes('1y', '10y');
    const { caCertificate, certificate, key } = projectFiles(project.dir);
    const encoded = (file: string): string => readFileSync(file).toString('base64');
    const data = { 'ca.crt': encoded(caCertificate), 'tls.crt': encoded(certificate), 'tls.key': encoded(key) };
    await replace(['secret', '-n', 'expired', 'expired-tls'], (secret) => ({ ...secret, data }));
    const caBundle = encoded(caCertificate);
    await replace(['apiservice', project.apiService], ({ spec, ...rest }) => ({ ...rest, spec: { ...spec, caBundle } }));
    const served = async () => {
      const { rows } = JSON.parse((await apisvc(['status', '-C', project.dir, '-o', 'json'])).stdout);
      return rows.filter((row: { place: string }) => row.place === 'endpoint');
    };
    await expect.poll(served, { timeout: 60_000, interval: 1_000 }).toMatchObject([{ sameAsProject: 'yes' }]);
  };

  beforeAll(async () => {
    project = await registered('expired');
  });

  test('of the server is replaced', async () => {
    await serveYesterdays('1h', '10y');
    expect((await apisvc(['verify', '-C', project.dir])).exitCode).toBe(1);
    await rotateOk(project, takeOver);
    await expectAgreement(project, 'expired');
  });

  test('of the CA is replaced without an overlap, which would help nobody', async () => {
    await serveYesterdays('1h', '1h');
    expect(await refusal(project)).toMatchObject({ exitCode: 2, errors: expect.stringMatching(/expired[\s\S]*apisvc rotate -C \S+ --ca/) });
    const { bundle: old } = await placesOf(project, 'expired');
    const rotating = rotateOk(project, '--ca', '--soak', '0s', takeOver);
    const during = async () => (await placesOf(project, 'expired')).bundle;
    // A clock must be trusted for nothing but a note, so the expired CA stays until the end too.
    await expect.poll(during, { timeout: 60_000, interval: 200 }).toEqual([...old, expect.any(String)]);
    const { stderr } = await rotating;
    expect(stderr).toMatch(
      /note: apiservice\/\S+: CN=\S+ CA expired on \S+ and verifies nothing; it is dropped at the end of the rotation/,
    );
    expect((await expectAgreement(project, 'expired')).ca).not.toEqual(old);
  });
});

describe('a clock that is 20 years ahead, so that every certificate has expired there', () => {
  const name = 'wrong-clock';
  let project: AnyApiProject;
  const rotateThere = (...flags: readonly string[]) =>
    apisvc(['rotate', '-C', project.dir, ...flags], { env: clockAhead(631_152_000_000), timeout: 170_000 });

  beforeAll(async () => {
    project = await registered(name);
  });

  test('starts no rotation', async () => {
    const before = await expectAgreement(project, name);
    for (const flags of [[], ['--ca'], ['--ca', '--dry-run']]) {
      const { exitCode, stderr } = await rotateThere(...flags);
      expect({ exitCode, stderr }).toMatchObject({ exitCode: 1 });
      expect(stderr).toMatch(/error: the clock of this machine shows 20[4-9]\S+Z, but that of kube-apiserver shows 20[23]\S+Z/);
      expect(stderr).toContain('nothing was changed');
    }
    expect(await expectAgreement(project, name)).toEqual(before);
  });

  test.each([
    ['continues', []],
    ['aborts', ['--abort']],
  ])('%s a rotation without dropping a CA that is valid', async (_, flags) => {
    const before = await expectAgreement(project, name);
    const report = await underLoad(project, async () => {
      const running = apisvc(['rotate', '-C', project.dir, '--ca', '--soak', '60s'], { timeout: 170_000 });
      await waitForOutput(running, /==> Watching/);
      running.kill('SIGKILL');
      await running;
      const { stdout, stderr } = await rotateThere('--soak', '1s', ...flags);
      expect(stderr).not.toMatch(/expired/);
      expect(stdout).toContain(flags.length > 0 ? 'Aborted' : 'Rotated');
    });
    expectNoFailure(report);
    const after = await expectAgreement(project, name);
    expect(after.ca.toString() === before.ca.toString()).toBe(flags.length > 0);
  });
});
