import { Argument, type Command } from 'commander';
import type { Run } from '../action.ts';

/** Adds `apisvc completion`. */
export function addCompletion(program: Command, run: Run): void {
  program
    .command('completion')
    .addArgument(new Argument('<shell>', 'Shell to generate the script for').choices(['bash', 'zsh', 'fish']))
    .description('Print a shell completion script for commands, options, contexts and APIService names')
    .addHelpText('after', installation)
    .action(run(async () => (await import('../../commands/completion.ts')).completion));
}

const installation = `
To load the completion script in every new shell:
  bash  echo 'eval "$(apisvc completion bash)"' >> ~/.bashrc
  zsh   echo 'eval "$(apisvc completion zsh)"' >> ~/.zshrc     # after the line that runs compinit
  fish  apisvc completion fish > ~/.config/fish/completions/apisvc.fish

If completion for kubectl is set up, kubectl 1.26 or newer also completes "kubectl apisvc".
`;
