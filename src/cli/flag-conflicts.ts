import { Command, type ErrorOptions, type OptionValueSource } from 'commander';
import { UsageError } from '../errors.ts';
import { printableLines } from '../pki/printable.ts';
import { withoutEmpty } from './options.ts';

/**
 * A command of commander for which flags that cannot be used together are an error with a fix, as
 * the other errors of apisvc are. A flag that `withoutEmpty` leaves out is not used. Control
 * characters in errors are escaped.
 */
export class CommandWithFixes extends Command {
  override createCommand(name?: string): Command {
    return new CommandWithFixes(name);
  }

  override setOptionValueWithSource(key: string, value: unknown, source?: OptionValueSource): this {
    return super.setOptionValueWithSource(key, withoutEmpty({ [key]: value })[key], source);
  }

  override error(message: string, options?: ErrorOptions): never {
    if (options?.code !== 'commander.conflictingOption') return super.error(printableLines(message), options);
    throw new UsageError(message.replace(/^error: /, ''), { fix: 'Remove one of the two flags.' });
  }
}
