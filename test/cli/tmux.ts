import { execFileSync, spawnSync } from 'node:child_process';
import { onTestFinished, vi } from 'vitest';
import { inShell, plainEnv } from './apisvc.ts';

/** A real terminal: tmux with its own server and socket. */

export const hasTmux = spawnSync('tmux', ['-V'], { stdio: 'ignore' }).status === 0;

export interface Screen {
  /** The output so far, without trailing blank lines. */
  read(): string;
  /** The output with the escapes for colors. */
  readColors(): string;
  /** Types keys by the names of tmux, such as `Enter`, `Down`, `C-c`; anything else is text. */
  type(...keys: readonly string[]): void;
  /** Waits for output. @returns the whole screen */
  until(pattern: RegExp): Promise<string>;
  /** Closes the terminal, as a user closes its window. */
  close(): void;
}

let count = 0;

/** Runs a line of shell, in which `apisvc` is the program, and then prints `exit code N`. */
export function terminal(script: string, cwd: string, columns = 120): Screen {
  const socket = `apisvc-unit-${process.pid}-${++count}`;
  const tmux = (...args: readonly string[]): string =>
    execFileSync('tmux', ['-L', socket, '-f', '/dev/null', ...args], { env: { ...plainEnv, TERM: 'xterm' }, encoding: 'utf8' });
  const quoted = `apisvc() { ${inShell} "$@"; }; ${script}; echo "exit code $?"; sleep 60`;
  tmux('new-session', '-d', '-x', String(columns), '-y', '60', '-c', cwd, '/bin/sh', '-c', quoted);
  let open = true;
  const close = (): void => {
    if (open) tmux('kill-server');
    open = false;
  };
  onTestFinished(close);
  const read = (...how: readonly string[]): string => tmux('capture-pane', '-p', '-S', '-', ...how).trimEnd();
  return {
    read,
    readColors: () => read('-e'),
    type: (...keys) => void tmux('send-keys', ...keys),
    until: (pattern) =>
      vi.waitFor(
        () => {
          const screen = read();
          if (!pattern.test(screen)) throw new Error(`${pattern} does not match:\n${screen}`);
          return screen;
        },
        { timeout: 20_000, interval: 30 },
      ),
    close,
  };
}
