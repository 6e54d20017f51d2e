import type { Terminal } from '../commands/terminal.ts';
import type { ExitCode } from '../errors.ts';

/** Runs a subcommand. `options` are its flags as commander parsed them. */
export type Action = (options: never, args: readonly string[], terminal: Terminal) => Promise<ExitCode>;

/**
 * Makes the commander action of a subcommand. The module is imported when the command runs, so that
 * no command loads the libraries of another.
 */
export type Run = (load: () => Promise<Action>) => (...given: unknown[]) => Promise<void>;
