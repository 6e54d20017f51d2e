import { Argument, type Command, Option } from 'commander';
import type { VerifyFlags } from '../commands/verify.ts';
import { engineKinds, kubernetesImitated } from '../sandbox/index.ts';
import type { Run } from './action.ts';
import { addInit } from './init-declaration.ts';
import { addMonitor } from './monitor-declaration.ts';
import { duration, examples, noProbe, probePath, repeatable, withClusters, withOutput, withProject, withTimeout } from './options.ts';
import { addRegister } from './register-declaration.ts';
import { addRender } from './render-declaration.ts';
import { addRotate } from './rotate-declaration.ts';
import { addSecure } from './secure-declaration.ts';
import { addStatus } from './status-declaration.ts';
import { addUnregister } from './unregister-declaration.ts';

/**
 * Adds the subcommands with their flags and help. Their actions are in src/commands, imported when
 * one runs.
 */
export function addCommands(program: Command, run: Run): void {
  addInit(program, run);
  addRender(program, run);
  addRegister(program, run);
  addRotate(program, run);
  addSecure(program, run);
  addUnregister(program, run);
  addVerify(program, run);
  addStatus(program, run);
  addMonitor(program, run);
  addLint(program, run);
  addExplain(program, run);
  addSandbox(program, run);
  addCompletion(program, run);
}

function addVerify(program: Command, run: Run): void {
  const command = program
    .command('verify')
    .argument('[name...]', 'Names of APIServices (default: the APIServices of the project)')
    .description('Diagnose APIServices: what is broken, why, and how to fix it. Read-only');
  withOutput(withProject(withClusters(command, '30s', 'Time limit for each context, for example 90s or 5m')), 'verify')
    .option('--all', 'Verify every APIService of the cluster')
    .option('-l, --selector <labels>', 'Label selector for APIServices, as in kubectl get -l')
    .option('--as-user <user>', 'Also check whether this user can access the API, for example a user without admin permissions')
    .addOption(
      new Option(
        '--probe <path>',
        'Path to request instead of one list of its API, as in kubectl get --raw; it must succeed. Repeat for several APIs',
      ).argParser(probePath),
    )
    .addOption(noProbe())
    .addOption(
      new Option(
        '--fail-if-expires-within <duration>',
        'Exit with code 1 if a certificate expires within this duration, for example 30d',
      ).argParser(duration),
    )
    .option('--strict', 'Report an API as healthy only if every check ran. Otherwise the exit code is 3')
    .option('--wait', 'Repeat until every API is healthy or --timeout expires')
    .addOption(new Option('--watch', 'Repeat every 5 seconds and show changes; --timeout applies to each run').conflicts(['wait', 'save']))
    .option(
      '--save <file>',
      'Save the observed state to this file, for --from or a bug report. The file contains log lines, events and responses, but no private keys, bearer tokens or passwords in URLs',
    )
    .addOption(
      new Option('--from <file>', 'Diagnose a file that --save wrote, without a cluster; "-" is standard input').conflicts(
        Object.entries(needsCluster).flatMap(([flag, needed]) => (needed ? [flag] : [])),
      ),
    )
    .addHelpText(
      'after',
      examples(
        'apisvc verify v1beta1.metrics.k8s.io',
        'apisvc verify --all -o wide',
        'apisvc verify --wait --timeout 2m -o junit',
        'apisvc verify --all --context staging --context production -o short',
        "apisvc verify --all --context '*' -o json",
        'apisvc verify v1beta1.metrics.k8s.io --save snapshot.json && apisvc verify --from snapshot.json',
      ),
    )
    .action(run(async () => (await import('../commands/verify.ts')).verify));
}

/** Whether a flag of verify needs a cluster, so that --from excludes it. */
const needsCluster: Readonly<Record<keyof VerifyFlags, boolean>> = {
  kubeconfig: true,
  context: true,
  as: true,
  asGroup: true,
  timeout: false,
  directory: false,
  output: false,
  all: true,
  selector: true,
  asUser: true,
  probe: true,
  failIfExpiresWithin: false,
  strict: false,
  wait: true,
  watch: true,
  save: true,
  from: false,
};

function addLint(program: Command, run: Run): void {
  const command = program
    .command('lint')
    .argument('[file...]', 'Manifests in YAML or JSON, or directories of them; "-" is standard input (default: the project)')
    .description('Check manifests and their certificates without a cluster');
  withOutput(withProject(command), 'lint')
    .option('-f, --filename <file>', 'Another file or directory, as in kubectl apply -f; repeatable', repeatable)
    .option('-R, --recursive', 'Read the subdirectories of directories too')
    .option('--strict', 'Fail if the files lack an object that a check needs')
    .addOption(
      new Option('--fail-on <severity>', 'Exit 1 for findings of this severity; with "warning", warnings are reported as errors')
        .choices(['error', 'warning', 'never'])
        .default('error'),
    )
    .addHelpText(
      'after',
      examples(
        'apisvc lint                          # the project in this directory',
        'apisvc lint deploy/ --fail-on warning',
        'apisvc lint -R -f manifests -o sarif > lint.sarif',
        'kubectl kustomize overlays/production | apisvc lint -',
        'helm template ./chart | apisvc lint -',
      ),
    )
    .action(run(async () => (await import('../commands/lint.ts')).lint));
}

function addExplain(program: Command, run: Run): void {
  program
    .command('explain')
    .argument('[code]', 'Code of a finding, a family of findings such as cert, or a topic')
    .description('Explain what a finding means, why it happens and how to fix it. Without a code, list all findings and topics')
    .addHelpText('after', examples('apisvc explain cert/unknown-authority', 'apisvc explain cert', 'apisvc explain crd-or-apiservice'))
    .action(run(async () => (await import('../commands/explain.ts')).explain));
}

function addSandbox(program: Command, run: Run): void {
  const command = program
    .command('sandbox')
    .argument('[program...]', 'Local program to run instead of the container image of the project, with its arguments; put both after "--"')
    .description('Test a registration in a local control plane, without a cluster');
  withOutput(
    withTimeout(withProject(command), '2m', 'Time limit for starting the control plane; the registration gets the same time limit'),
    'sandbox',
  )
    .addOption(
      new Option(
        '--engine <engine>',
        'Control plane to run: "real" (etcd and kube-apiserver binaries) or "simulated" (built into apisvc). Default: real if the binaries are found',
      ).choices(engineKinds),
    )
    .addOption(
      new Option('--assets <dir>', 'Directory with the etcd and kube-apiserver binaries (default: $KUBEBUILDER_ASSETS)').conflicts(
        'kubernetes',
      ),
    )
    .addOption(
      new Option('--kubernetes <version>', 'Kubernetes version to simulate (selects the simulated engine)').choices(kubernetesImitated),
    )
    .option('--once', 'Register, verify once, and exit with the result; for CI')
    .option('--empty', 'Do not register anything; run init, register and verify yourself')
    .option('--write-kubeconfig <file>', 'Also write the kubeconfig to this file; the sandbox removes the file when it stops')
    .addHelpText(
      'after',
      `${examples(
        'apisvc sandbox                                  # run the built-in demo API server',
        'apisvc sandbox -- ./my-apiserver -v=4           # run this program as the server of the project in this directory',
        'apisvc sandbox --once -o junit -- ./my-apiserver',
        'apisvc sandbox -- ./my-apiserver --cert {tls-cert-file} --key {tls-private-key-file} --listen :{port}',
      )}${placeholders}`,
    )
    .action(run(async () => (await import('../commands/sandbox.ts')).sandbox));
}

const placeholders = `
Arguments of the program:
  The program gets the arguments of the container in the Deployment, and --kubeconfig,
  --authentication-kubeconfig and --authorization-kubeconfig. With the simulated engine, it also
  gets --bind-address=127.0.0.1. If you set one of these flags, your value takes precedence.

  If an argument contains {kubeconfig}, {tls-cert-file}, {tls-private-key-file} or {port}, the
  program gets exactly your arguments, with these placeholders filled in.
`;

function addCompletion(program: Command, run: Run): void {
  program
    .command('completion')
    .addArgument(new Argument('<shell>', 'Shell to generate the script for').choices(['bash', 'zsh', 'fish']))
    .description('Print a shell completion script for commands, options, contexts and APIService names')
    .addHelpText('after', installation)
    .action(run(async () => (await import('../commands/completion.ts')).completion));
}

const installation = `
To load the completion script in every new shell:
  bash  echo 'eval "$(apisvc completion bash)"' >> ~/.bashrc
  zsh   echo 'eval "$(apisvc completion zsh)"' >> ~/.zshrc     # after the line that runs compinit
  fish  apisvc completion fish > ~/.config/fish/completions/apisvc.fish

If completion for kubectl is set up, kubectl 1.26 or newer also completes "kubectl apisvc".
`;
