import bash from '../../templates/completion/apisvc.bash';
import fish from '../../templates/completion/apisvc.fish';
import zsh from '../../templates/completion/apisvc.zsh';
import { Exit, type ExitCode } from '../errors.ts';
import type { Terminal } from './terminal.ts';

const scripts: Readonly<Record<string, string>> = { bash, zsh, fish };

/** `apisvc completion`: prints the script that connects a shell to apisvc's completion. */
export async function completion(_: unknown, [shell = '']: readonly string[], terminal: Terminal): Promise<ExitCode> {
  await terminal.result(scripts[shell] ?? '');
  return Exit.ok;
}
