import { Argument, type Command } from 'commander';
import type { ClusterOptions } from '../../cluster/kubeconfig.ts';
import type { Candidate } from '../../commands/complete-names.ts';
import { withoutEmpty } from '../options.ts';
import { answerText } from './answer.ts';
import { completionsAt, type Source } from './completions.ts';
import { type Position, positionOf } from './position.ts';

/**
 * Answers a completion script. It never prompts, and unavailable completions are silently skipped.
 * @param words - the words after the program name; the last one is being typed
 */
export async function complete(program: Command, words: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
  const position = positionOf(program, words);
  const { typed, expected } = position;
  // An argument list does not repeat a name.
  const named = expected instanceof Argument ? position.operands : [];
  const completions = completionsAt(program, position);
  if (completions === 'files' || completions === 'directories') return answerText([], typed, completions);
  const candidates = typeof completions === 'string' ? await namesFrom(completions, position, env).catch(() => []) : completions;
  return answerText(
    candidates.filter(({ value }) => !named.includes(value)),
    typed,
    'nothing',
  );
}

/** Loads the cluster client only for names that need it. */
async function namesFrom(source: Source, { given }: Position, env: NodeJS.ProcessEnv): Promise<readonly Candidate[]> {
  if (source === 'codes') return (await import('../../commands/complete-codes.ts')).findingCodes();
  const { apiServices, contexts } = await import('../../commands/complete-names.ts');
  const last = (flag: string): string | undefined => given.get(flag)?.at(-1);
  const { context, ...flags } = withoutEmpty({
    // The shell expands ~ only when the command runs.
    kubeconfig: last('kubeconfig')?.replace(/^~(?=\/)/, env.HOME ?? '~'),
    context: given.get('context'),
    as: last('as'),
    asGroup: given.get('asGroup'),
  });
  const options: ClusterOptions = { ...flags, context: context?.[0] };
  return source === 'contexts' ? contexts(options, env) : apiServices(options, env);
}
