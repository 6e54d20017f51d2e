import { Argument, type Command, Option } from 'commander';
import { presetNames } from '../config/preset-names.ts';
import { keyTypes } from '../pki/types.ts';
import { lintFormats, verifyFormats } from '../report/formats.ts';
import { kubernetesImitated } from '../sandbox/shared/engine.ts';
import type { Run } from './action.ts';
import { duration, list, withCluster, withClusters, withOutput, withTimeout } from './options.ts';

/** The subcommands with their flags and help. What they do is in src/commands, imported when one of them runs. */
export function addCommands(program: Command, run: Run): void {
  addInit(program, run);
  addRender(program, run);
  addRegister(program, run);
  addVerify(program, run);
  addLint(program, run);
  addExplain(program, run);
  addSandbox(program, run);
  addCompletion(program, run);
}

function addInit(program: Command, run: Run): void {
  program
    .command('init')
    .argument('[dir]', 'project directory, made when it does not exist', '.')
    .description('Create a project: apisvc.yaml, a CA and a serving certificate; on a terminal it asks for what is not given')
    .addOption(new Option('-p, --preset <name>', 'what to start from').choices(presetNames))
    .option('-y, --yes', 'ask nothing; what is missing is an error')
    .option('--api <group/version>', 'API that the server serves; may be repeated', list)
    .option('--image <image>', 'container image of the server')
    .option('--name <name>', 'name of the Deployment, ServiceAccount and RBAC objects')
    .option('-n, --namespace <namespace>', 'namespace of the server')
    .option('--service <name>', 'name of the Service')
    .addOption(new Option('--key-type <type>', 'kind of the keys').choices(keyTypes))
    .option('--lifetime <duration>', 'how long the serving certificate is valid, for example 90d')
    .option('--ca-lifetime <duration>', 'how long the CA is valid')
    .option('--dns <name>', 'one more DNS name in the certificate; may be repeated', list)
    .option('--ip <address>', 'one more IP address in the certificate; may be repeated', list)
    .option('--cluster-domain <domain>', 'DNS domain of the cluster')
    .option('--no-name-constraints', 'do not limit the CA to the names of this server')
    .option('--ca-cert <file>', 'use this CA instead of making one')
    .option('--ca-key <file>', 'its private key; it stays where it is')
    .option('--ca-key-passphrase-file <file>', 'file that holds the passphrase of an encrypted CA key')
    .option('--ca-key-passphrase-env <name>', 'environment variable that holds it')
    .option('--force', 'replace an existing apisvc.yaml')
    .option('--force-keys', 'replace existing keys and certificates')
    .addHelpText(
      'after',
      examples(
        'apisvc init                   # asks, shows what it will write, and prints the command that says the same',
        'apisvc init demo --preset sample-apiserver --yes',
        'apisvc init my-apiserver --api my.group.example.com/v1 --image registry.example.com/my-apiserver:1.0',
        'apisvc init metrics --preset metrics-server-existing',
        'apisvc init --force-keys      # new keys and certificates for the project in this directory',
      ),
    )
    .action(run(async () => (await import('../commands/init.ts')).init));
}

const examples = (...lines: readonly string[]): string => `\nExamples:\n${lines.map((line) => `  ${line}\n`).join('')}`;

/** Every command that works on a project takes its directory, as make and git do with -C. */
const withProject = (command: Command): Command => command.option('-C, --directory <dir>', 'project directory', '.');

function addRender(program: Command, run: Run): void {
  const command = program.command('render').description('Print every manifest, with the caBundle filled in');
  withOutput(withProject(command), ['yaml', 'json', 'kustomize'])
    .option('-d, --output-dir <dir>', 'write one file for each object into this directory; "manifests" is usual')
    .addOption(
      new Option(
        '--secrets <choice>',
        'whether the Secret with the private key is part of it (default: include, but omit on a terminal)',
      ).choices(['include', 'omit']),
    )
    .addHelpText(
      'after',
      examples('apisvc render | kubectl apply -f -', 'apisvc render -o kustomize --output-dir manifests --secrets omit'),
    )
    .action(run(async () => (await import('../commands/render.ts')).render));
}

function addRegister(program: Command, run: Run): void {
  const command = program
    .command('register')
    .description('Apply the project to a cluster in a safe order, wait until the API is served, and verify it');
  withOutput(withProject(withCluster(command, '2m')), ['text', 'json'])
    .addOption(
      new Option('--dry-run <where>', 'change nothing; let the server check everything, or only say what would be applied').choices([
        'client',
        'server',
      ]),
    )
    .option('--diff', 'show what would change and change nothing; exit 1 when something would')
    .option('--force-conflicts', 'take over fields that somebody else has set')
    .option('-y, --yes', 'ask nothing (register never asks; accepted for scripts)')
    .addHelpText('after', examples('apisvc register --dry-run=server', 'apisvc register --context staging --timeout 5m'))
    .action(run(async () => (await import('../commands/register.ts')).register));
}

function addVerify(program: Command, run: Run): void {
  const command = program
    .command('verify')
    .argument('[name...]', 'names of APIServices; without one, those of the project')
    .description('Diagnose APIServices: what is broken, why, and how to fix it. Changes nothing');
  withOutput(withProject(withClusters(command, '30s')), verifyFormats)
    .option('--all', 'every APIService of the cluster')
    .option('-l, --selector <labels>', 'APIServices with these labels, as in kubectl get -l')
    .option('--as-user <user>', 'also look at what this user, an ordinary one, is answered')
    .addOption(
      new Option('--fail-if-expires-within <duration>', 'exit 1 when a certificate ends within this time, for example 30d').argParser(
        duration,
      ),
    )
    .option('--strict', 'healthy only where everything could be looked at')
    .option('--wait', 'look again until everything is healthy or the time is up')
    .addOption(new Option('--watch', 'look again and again and show every change; --timeout is for each look').conflicts(['wait', 'save']))
    .option(
      '--save <file>',
      'keep what was seen in this file: for --from, or for a bug report. It holds no private keys; log lines, events and answers of servers are in it, without bearer tokens and passwords in URLs',
    )
    .addOption(
      new Option('--from <file>', 'diagnose what --save has kept, without a cluster; "-" is standard input').conflicts(needCluster),
    )
    .addHelpText(
      'after',
      examples(
        'apisvc verify v1beta1.metrics.k8s.io',
        'apisvc verify --all -o wide',
        'apisvc verify --wait --timeout 2m -o junit',
        'apisvc verify --all --context staging --context production -o short',
        'apisvc verify v1beta1.metrics.k8s.io --save snapshot.json && apisvc verify --from snapshot.json',
      ),
    )
    .action(run(async () => (await import('../commands/verify.ts')).verify));
}

/** Options of verify, by the names that commander gives them, that mean a cluster. */
const needCluster = ['all', 'selector', 'asUser', 'wait', 'watch', 'save', 'kubeconfig', 'context', 'as', 'asGroup'];

function addLint(program: Command, run: Run): void {
  const command = program
    .command('lint')
    .argument('<file...>', 'manifests in YAML or JSON, or directories of them; "-" is standard input')
    .description('Check manifests and their certificates without a cluster');
  withOutput(command, lintFormats).action(run(async () => (await import('../commands/lint.ts')).lint));
}

function addExplain(program: Command, run: Run): void {
  program
    .command('explain')
    .argument('[code]', 'code of a finding, a family such as cert, or a topic')
    .description('Say what a finding means, why it happens and how to fix it; without a code, list them all, and the topics')
    .addHelpText('after', examples('apisvc explain cert/unknown-authority', 'apisvc explain cert', 'apisvc explain crd-or-apiservice'))
    .action(run(async () => (await import('../commands/explain.ts')).explain));
}

function addSandbox(program: Command, run: Run): void {
  const command = program
    .command('sandbox')
    .argument(
      '[program...]',
      'behind "--": a program of this machine, with its arguments, that runs in the place of the image of the project',
    )
    .description('Start a control plane of your own, without a cluster, and rehearse a registration in it');
  withOutput(withTimeout(withProject(command), '2m', 'the longest that the start, and then the registration, may take'), verifyFormats)
    .addOption(
      new Option(
        '--engine <engine>',
        'real: etcd and kube-apiserver; simulated: inside apisvc, needs nothing (default: real where their programs are)',
      ).choices(['real', 'simulated']),
    )
    .addOption(
      new Option(
        '--assets <dir>',
        'folder with the programs etcd and kube-apiserver (default: KUBEBUILDER_ASSETS, or what npm run test:cluster has built)',
      ).conflicts('kubernetes'),
    )
    .addOption(
      new Option('--kubernetes <version>', 'version to simulate, or to choose from programs that were built here').choices(
        kubernetesImitated,
      ),
    )
    .option('--once', 'end after the first verdict, with its exit code: for CI')
    .option('--empty', 'register nothing: to try init, register and verify by hand')
    .option('--write-kubeconfig <file>', 'write the kubeconfig to this file too, as long as the sandbox runs')
    .addHelpText(
      'after',
      `${examples(
        'apisvc sandbox                                  # with the API server that is built in: the load of this machine',
        'apisvc sandbox -- ./my-apiserver -v=4           # the project in this directory, with this program as its server',
        'apisvc sandbox --once -o junit -- ./my-apiserver',
        'apisvc sandbox -- ./my-apiserver --cert {tls-cert-file} --key {tls-private-key-file} --listen :{port}',
      )}${placeholders}`,
    )
    .action(run(async () => (await import('../commands/sandbox.ts')).sandbox));
}

const placeholders = `
The program gets the arguments of the container in the Deployment, those that it names itself excepted, and --kubeconfig, --authentication-kubeconfig and
--authorization-kubeconfig, as servers built on k8s.io/apiserver take them; in the simulation also --bind-address=127.0.0.1. With {kubeconfig}, {tls-cert-file}, {tls-private-key-file} or {port} in it, it is
run as it is given, with these filled in.
`;

function addCompletion(program: Command, run: Run): void {
  program
    .command('completion')
    .addArgument(new Argument('<shell>', 'which one it is for').choices(['bash', 'zsh', 'fish']))
    .description('Print a script that completes commands, options, contexts and names of APIServices in your shell')
    .addHelpText('after', installation)
    .action(run(async () => (await import('../commands/completion.ts')).completion));
}

const installation = `
To have it in every new shell:
  bash  echo 'eval "$(apisvc completion bash)"' >> ~/.bashrc
  zsh   echo 'eval "$(apisvc completion zsh)"' >> ~/.zshrc     # below the line with compinit
  fish  apisvc completion fish > ~/.config/fish/completions/apisvc.fish

kubectl 1.26 and newer completes "kubectl apisvc" by itself, where its own completion is set up.
`;
