import { Argument, type Command } from 'commander';
import type { ClusterOptions } from '../../cluster/kubeconfig.ts';
import type { Candidate } from '../../commands/known-names.ts';
import { answerText } from './answer.ts';
import { offerAt, type Source } from './offer.ts';
import { type Position, positionOf } from './position.ts';

/**
 * Answers a completion script. Nothing is asked, and what can't be had is left out without a word: somebody is in the middle of typing.
 * @param words all after the program's name; the last one is being typed
 */
export async function complete(program: Command, words: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
  const position = positionOf(program, words);
  const { typed, expected } = position;
  // A list of arguments names nothing twice.
  const named = expected instanceof Argument ? position.operands : [];
  const offer = offerAt(program, position);
  if (offer === 'files' || offer === 'directories') return answerText([], typed, offer);
  const candidates = typeof offer === 'string' ? await namesFrom(offer, position, env).catch(() => []) : offer;
  return answerText(
    candidates.filter(({ value }) => !named.includes(value)),
    typed,
    'nothing',
  );
}

/** Only here is the connection to clusters loaded. */
async function namesFrom(source: Source, { given }: Position, env: NodeJS.ProcessEnv): Promise<readonly Candidate[]> {
  if (source === 'codes') return (await import('../../commands/known-codes.ts')).codes();
  const { apiServices, contexts } = await import('../../commands/known-names.ts');
  const options: ClusterOptions = {
    // The shell would expand it when the command runs.
    kubeconfig: given
      .get('kubeconfig')
      ?.at(-1)
      ?.replace(/^~(?=\/)/, env.HOME ?? '~'),
    context: given.get('context')?.[0],
    as: given.get('as')?.at(-1),
    asGroup: given.get('asGroup'),
  };
  return source === 'contexts' ? contexts(options, env) : apiServices(options, env);
}
