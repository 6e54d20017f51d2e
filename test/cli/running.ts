import { execa } from 'execa';
import { onTestFinished } from 'vitest';
import { bin, plainEnv } from './apisvc.ts';

export interface StartOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts apisvc, and kills it after the test. `said`: its stderr so far. */
export function startApisvc(args: readonly string[], { cwd, env }: StartOptions) {
  const running = execa(bin, args, { cwd, env: { ...plainEnv, ...env }, extendEnv: false, stdin: 'ignore', reject: false });
  onTestFinished(async () => {
    running.kill('SIGKILL');
    await running;
  });
  let stderr = '';
  running.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk;
  });
  return { running, said: () => stderr };
}
