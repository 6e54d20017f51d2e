import { apisvc } from '../harness/commands.ts';
import { untilSaid } from '../harness/projects.ts';

/**
 * Registers a project whose server can start only when register has made its ServiceAccount.
 * @param start - called when register waits for the server
 * @param env - added to the environment of apisvc
 * @returns exit code and output of register
 */
export async function registerAnd(dir: string, start: () => Promise<unknown>, env: Readonly<Record<string, string>> = {}) {
  const registering = apisvc(['register', '--timeout', '80s'], { cwd: dir, env });
  await untilSaid(registering, /connection refused/);
  await start();
  return registering;
}
