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

/** Processes and their start times are read from /proc. */
describe.runIf(process.platform === 'linux')('what lies in the folder for temporary files', () => {
  /** Makes a folder of our own that one. */
  function ownTemporary(): string {
    const dir = folder();
    vi.stubEnv('TMPDIR', dir);
    onTestFinished(() => void vi.unstubAllEnvs());
    return dir;
  }

  /** A process that could be a holder: its command line says so. */
  async function startLikeHolder(script = 'testbed/hold.mjs'): Promise<number> {
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
    const temporary = ownTemporary();
    const pid = await startLikeHolder(script);
    const dir = mkdtempSync(join(temporary, ownPrefix(pid)));
    await writeTestbed(dir, testbedOf(pid));
    return { pid, dir, temporary };
  }

  test('is a testbed when we made it and its process holds one', async () => {
    const { pid } = await holder();
    expect(await runningTestbeds()).toEqual([testbedOf(pid)]);
  });

  test('is none when the process is another program: nobody may have it killed', async () => {
    await holder('other/server.mjs');
    expect(await runningTestbeds()).toEqual([]);
  });

  test('is none when others may write to it', async () => {
    const { dir } = await holder();
    chmodSync(dir, 0o777);
    expect(await runningTestbeds()).toEqual([]);
  });

  if (isRoot)
    test('is none when somebody else made it', async () => {
      const { dir } = await holder();
      chownSync(dir, 65534, 65534);
      expect(await runningTestbeds()).toEqual([]);
    });

  test.each(['', '{"pid":', 'null', '{}', '{"pid":"1"}'])('is none when its file says %j', async (text) => {
    const { dir } = await holder();
    writeFileSync(join(dir, 'testbed.json'), text);
    expect(await runningTestbeds()).toEqual([]);
  });

  if (isRoot)
    test('of somebody else stays, and so does what it speaks of', async () => {
      const { dir, pid } = await holder();
      vi.spyOn(console, 'error').mockImplementation(() => {});
      onTestFinished(() => void vi.restoreAllMocks());
      chownSync(dir, 65534, 65534);
      await down();
      expect(console.error).toHaveBeenLastCalledWith('No testbed ran.');
      expect(() => process.kill(pid, 0)).not.toThrow();
    });

  if (isRoot)
    test('does not stop down when its process ends meanwhile', async () => {
      const { pid } = await holder();
      vi.spyOn(console, 'error').mockImplementation(() => {});
      vi.spyOn(process, 'kill').mockImplementation((killed) => {
        expect(spawnSync('kill', ['-KILL', String(killed)]).status).toBe(0);
        throw Object.assign(new Error('kill ESRCH'), { code: 'ESRCH' });
      });
      onTestFinished(() => void vi.restoreAllMocks());
      const remains = await down().catch((error: Error) => error.message);
      expect(remains).toBeUndefined();
      expect(console.error).toHaveBeenLastCalledWith('Ended 1; nothing is left.');
      expect(pid).toBeGreaterThan(0);
    });
});
