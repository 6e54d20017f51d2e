import type { Command } from 'commander';
import type { Run } from '../action.ts';
import { examples } from '../options.ts';

/** Adds `apisvc explain`. */
export function addExplain(program: Command, run: Run): void {
  program
    .command('explain')
    .argument('[code]', 'Code of a finding, a family of findings such as cert, or a topic')
    .description('Explain what a finding means, why it happens and how to fix it. Without a code, list all findings and topics')
    .addHelpText('after', examples('apisvc explain cert/unknown-authority', 'apisvc explain cert', 'apisvc explain crd-or-apiservice'))
    .action(run(async () => (await import('../../commands/explain.ts')).explain));
}
