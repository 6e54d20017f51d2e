import type { Terminal } from '../commands/terminal.ts';
import type { ExitCode } from '../errors.ts';

/** What a subcommand does: `options` are its flags as commander parsed them. */
export type Action = (options: never, args: readonly string[], terminal: Terminal) => Promise<ExitCode>;

/** Makes the action of a subcommand. Its module is imported only when it runs, so that no command pays for another's libraries. */
export type Run = (load: () => Promise<Action>) => (...given: unknown[]) => Promise<void>;
