import { type Command, Option } from 'commander';
import { engineKinds, kubernetesImitated } from '../../sandbox/index.ts';
import type { Run } from '../action.ts';
import { examples, withOutput, withProject, withTimeout } from '../options.ts';

/** Adds `apisvc sandbox`. */
export function addSandbox(program: Command, run: Run): void {
  const command = program
    .command('sandbox')
    .argument('[program...]', 'Local program and its arguments, after "--"; it runs instead of the container image of the project')
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
    .option('--empty', 'Do not register anything, so that you can run init, register and verify yourself')
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
    .action(run(async () => (await import('../../commands/sandbox.ts')).sandbox));
}

const placeholders = `
Arguments of the program:
  The program gets the arguments of the container in the Deployment, and --kubeconfig,
  --authentication-kubeconfig and --authorization-kubeconfig. With the simulated engine, it also
  gets --bind-address=127.0.0.1. If you set one of these flags, your value takes precedence.

  If an argument contains {kubeconfig}, {tls-cert-file}, {tls-private-key-file} or {port}, the
  program gets exactly your arguments, with these placeholders filled in.
`;
