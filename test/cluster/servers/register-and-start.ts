import { apisvc } from '../harness/commands.ts';
import { waitForOutput } from '../harness/projects.ts';

/**
 * Registers a project whose server can start only after register has created its ServiceAccount.
 * @param start - starts the server; called when register waits for it
 * @param env - added to the environment of apisvc
 * @returns the exit code and the output of register
 */
export async function registerAndStart(dir: string, start: () => Promise<unknown>, env: Readonly<Record<string, string>> = {}) {
  const registering = apisvc(['register', '--timeout', '80s'], { cwd: dir, env });
  await waitForOutput(registering, /connection refused/);
  await start();
  return registering;
}
