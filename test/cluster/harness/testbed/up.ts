import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { ApisvcError, ClusterError } from '../../../../src/errors.ts';
import type { Message } from './hold.ts';

/**
 * Starts a cluster in the background and prints how to use it.
 * @throws the error that prevents the start
 */
export async function up(cell: string): Promise<void> {
  console.error('Starting Kubernetes with one node.');
  // A separate session keeps it running when the terminal closes.
  const holder = spawn(process.execPath, [join(import.meta.dirname, 'hold.mjs'), cell], {
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  holder.stderr?.pipe(process.stderr);
  const ended = once(holder, 'exit').then(([code, signal]): Message => {
    throw new ClusterError(`the testbed ended while it was starting (${signal ?? `exit code ${code}`})`);
  });
  const message = await Promise.race([once(holder, 'message').then(([received]) => received as Message), ended]);
  if ('error' in message) {
    const { message: text, fix, exitCode } = message.error;
    throw new ApisvcError(text, exitCode, fix === undefined ? {} : { fix });
  }
  holder.disconnect();
  holder.unref();
  const { version, kubectl, kubeconfig } = message.testbed;
  console.error(`${version} runs until \`npm run testbed -- down\`. Its kubectl: ${kubectl}`);
  console.log(`export KUBECONFIG=${kubeconfig}`);
}
