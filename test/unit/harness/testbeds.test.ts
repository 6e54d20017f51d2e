import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { ownPrefix } from '../../../src/sandbox/shared/owner.ts';
import { down } from '../../cluster/harness/testbed/down.ts';
import { runningTestbeds, type Testbed, writeTestbed } from '../../cluster/harness/testbed/testbeds.ts';
import { folder } from '../project/folder.ts';

const isRoot = process.getuid?.() === 0;

// Linux only: the code reads processes and their start times from /proc.
describe.runIf(process.platform === 'linux')('a folder in the temporary directory', () => {
  /** Sets TMPDIR to a new folder. */
  function useTemporaryFolder(): string {
    const dir = folder();
    vi.stubEnv('TMPDIR', dir);
    onTestFinished(() => void vi.unstubAllEnvs());
    return dir;
  }

  /** Starts a process whose command line looks like that of a testbed. */
  async function startFakeHolder(script = 'testbed/hold.mjs'): Promise<number> {
    const file = join(folder(), script);
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, 'console.log("up"); setInterval(() => {}, 1000);');
    const child = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    await once(child.stdout, 'data');
    return child.pid ?? 0;
  }

  const testbedOf = (pid: number): Testbed => ({ kubeconfig: '/k', kubectl: '/c', version: 'v', cell: '1.37', pid, started: 0 });

  async function holder(script?: string): Promise<{ readonly pid: number; readonly dir: string; readonly temporary: string }> {
    const temporary = useTemporaryFolder();
    const pid = await startFakeHolder(script);
    const dir = mkdtempSync(join(temporary, ownPrefix(pid)));
    await writeTestbed(dir, testbedOf(pid));
    return { pid, dir, temporary };
  }

  test('is a testbed if the current user owns it and its process is a testbed', async () => {
    const { pid } = await holder();
    expect(await runningTestbeds()).toEqual([testbedOf(pid)]);
  });

  test('is not a testbed if the process is another program, which down must not kill', async () => {
    await holder('other/server.mjs');
    expect(await runningTestbeds()).toEqual([]);
  });

  test('is not a testbed if other users can write to it', async () => {
    const { dir } = await holder();
    chmodSync(dir, 0o777);
    expect(await runningTestbeds()).toEqual([]);
  });

  if (isRoot)
    test('is not a testbed if another user owns it', async () => {
      const { dir } = await holder();
      chownSync(dir, 65534, 65534);
      expect(await runningTestbeds()).toEqual([]);
    });

  test.each(['', '{"pid":', 'null', '{}', '{"pid":"1"}'])('is not a testbed if its file contains %j', async (text) => {
    const { dir } = await holder();
    writeFileSync(join(dir, 'testbed.json'), text);
    expect(await runningTestbeds()).toEqual([]);
  });

  if (isRoot)
    test('of another user stays, and down does not stop its process', async () => {
      const { dir, pid } = await holder();
      vi.spyOn(console, 'error').mockImplementation(() => {});
      onTestFinished(() => void vi.restoreAllMocks());
      chownSync(dir, 65534, 65534);
      await down();
      expect(console.error).toHaveBeenLastCalledWith('No testbed is running.');
      expect(() => process.kill(pid, 0)).not.toThrow();
    });

  if (isRoot)
    test('does not make down fail if its process ends in the meantime', async () => {
      const { pid } = await holder();
      vi.spyOn(console, 'error').mockImplementation(() => {});
      vi.spyOn(process, 'kill').mockImplementation((killed) => {
        expect(spawnSync('kill', ['-KILL', String(killed)]).status).toBe(0);
        throw Object.assign(new Error('kill ESRCH'), { code: 'ESRCH' });
      });
      onTestFinished(() => void vi.restoreAllMocks());
      const remains = await down().catch((error: Error) => error.message);
      expect(remains).toBeUndefined();
      expect(console.error).toHaveBeenLastCalledWith('Stopped and removed: 1');
      expect(pid).toBeGreaterThan(0);
    });
});
