import { Command, type ErrorOptions } from 'commander';
import { UsageError } from '../errors.ts';

/**
 * A command of commander for which flags that cannot be used together are an error with a fix, as
 * the other errors of apisvc are.
 */
export class CommandWithFixes extends Command {
  override createCommand(name?: string): Command {
    return new CommandWithFixes(name);
  }

  override error(message: string, options?: ErrorOptions): never {
    if (options?.code !== 'commander.conflictingOption') return super.error(message, options);
    throw new UsageError(message.replace(/^error: /, ''), { fix: 'Remove one of the two flags.' });
  }
}
