import { onTestFinished } from 'vitest';

/** A process of execa that runs until it is stopped. */
interface Running extends PromiseLike<unknown> {
  kill(signal: 'SIGKILL'): boolean;
  readonly stderr: NodeJS.ReadableStream;
}

/** Kills a process after the test. @returns its stderr so far */
export function endAfterTest(running: Running): () => string {
  onTestFinished(async () => {
    running.kill('SIGKILL');
    await running;
  });
  let said = '';
  running.stderr.on('data', (chunk: Buffer) => {
    said += chunk;
  });
  return () => said;
}
