import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { apisvc, kubectl } from '../harness/commands.ts';
import { emptyFolder, kubectlOk } from '../harness/projects.ts';
import { cluster } from '../harness/provided.ts';
import { expectNoFailureDuringRestart, underLoad } from '../harness/rotations.ts';
import { type Installed, installInsecure, objectsBehind } from '../harness/secured.ts';
import { isShort } from '../harness/thorough.ts';

/** `apisvc secure` and `--undo` on servers that run, under load: no request fails. */

const flags = { keeping: [], closing: ['--close-connections'] };

/** One kind on each version. A single file tries both. */
const kinds = isShort ? ([cluster.cell.kubernetes === '1.35' ? 'keeping' : 'closing'] as const) : (['keeping', 'closing'] as const);

describe.each(kinds)('a server with three pods that is %s connections', (kind) => {
  const name = `secure-${kind}`;
  const home = emptyFolder();
  let installed: Installed;
  let before: readonly unknown[];
  const secure = (...more: readonly string[]) =>
    apisvc(['secure', installed.apiService, '--timeout', '3m', ...more], { cwd: home, timeout: 200_000 });

  beforeAll(async () => {
    installed = await installInsecure({ name, flags: flags[kind] });
    before = await objectsBehind(name, [installed.apiService]);
  });

  afterAll(async () => {
    await kubectl(['delete', 'apiservice', installed.apiService, '--ignore-not-found']);
    await kubectl(['delete', 'namespace', name, '--ignore-not-found', '--wait=false']);
  });

  test('changes nothing without a confirmation, and names the flag', async () => {
    const { exitCode, stderr } = await secure();
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('--yes') });
    expect(existsSync(join(home, name))).toBe(false);
    expect(await objectsBehind(name, [installed.apiService])).toEqual(before);
  });

  test('is secured without a failed request', async () => {
    const report = await underLoad({ ...installed, dir: '' }, async () => {
      const { exitCode, stdout, stderr } = await secure('--yes');
      expect({ exitCode, stdout, stderr }).toMatchObject({
        exitCode: 0,
        stdout: expect.stringContaining(`✓ ${installed.apiService}: healthy`),
      });
    });
    console.log(JSON.stringify({ requests: report.requests, failures: report.failures }));
    const { spec } = JSON.parse(await kubectlOk(['get', 'apiservice', installed.apiService, '-o', 'json']));
    expect({ insecure: spec.insecureSkipTLSVerify ?? false, caBundle: spec.caBundle }).toEqual({
      insecure: false,
      caBundle: expect.any(String),
    });
    expectNoFailureDuringRestart(report);
  });

  test('has nothing to do on a second run, and its project agrees with the cluster', async () => {
    expect(await secure()).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('Nothing to do') });
    expect(await apisvc(['verify', '-C', join(home, name)])).toMatchObject({ exitCode: 0 });
  });

  test('is restored without a failed request, exactly as it was', async () => {
    const report = await underLoad({ ...installed, dir: '' }, async () => {
      const { exitCode, stdout, stderr } = await secure('--undo', '--yes');
      expect({ exitCode, stdout, stderr }).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('is kept. To remove it: rm -r ') });
    });
    console.log(JSON.stringify({ requests: report.requests, failures: report.failures }));
    expect(await objectsBehind(name, [installed.apiService])).toEqual(before);
    expect(await secure('--undo')).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('Nothing to undo') });
    expectNoFailureDuringRestart(report);
  });
});
