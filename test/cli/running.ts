import { execa } from 'execa';
import { endAfterTest } from '../end-after-test.ts';
import { bin, plainEnv } from './apisvc.ts';

export interface StartOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts apisvc, and kills it after the test. `said`: its stderr so far. */
export function startApisvc(args: readonly string[], { cwd, env }: StartOptions) {
  const running = execa(bin, args, { cwd, env: { ...plainEnv, ...env }, extendEnv: false, stdin: 'ignore', reject: false });
  return { running, said: endAfterTest(running) };
}
