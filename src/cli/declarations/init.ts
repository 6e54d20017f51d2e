import { type Command, Option } from 'commander';
import { issuerTypes } from '../../config/issuer-flags.ts';
import { presetNames } from '../../config/presets.ts';
import { keyTypes } from '../../pki/types.ts';
import type { Run } from '../action.ts';
import { examples, repeatableList, withCluster } from '../options.ts';

/** Adds `apisvc init`. */
export function addInit(program: Command, run: Run): void {
  const command = program
    .command('init')
    .argument('[dir]', 'Project directory; created if it does not exist', '.')
    .description('Create a project: apisvc.yaml, a CA and a serving certificate. On a terminal, prompt for missing values')
    .addOption(new Option('-p, --preset <name>', 'Preset to start from').choices(presetNames))
    .option('-y, --yes', 'Do not prompt; fail if a required flag is not set')
    .option('--api <group/version>', 'API that the server serves; repeatable', repeatableList)
    .option('--image <image>', 'Container image of the server')
    .option('--name <name>', 'Name of the Deployment, ServiceAccount and RBAC objects')
    .option('-n, --namespace <namespace>', 'Namespace of the server')
    .option('--service <name>', 'Name of the Service')
    .addOption(new Option('--key-type <type>', 'Type of the private keys to generate').choices(keyTypes))
    .option('--lifetime <duration>', 'How long the serving certificate is valid, for example 90d')
    .option('--ca-lifetime <duration>', 'How long the CA certificate is valid, for example 10y')
    .addOption(
      new Option(
        '--ca-key-in <place>',
        'Where to keep the private key of the CA; with "secret", register moves the key to a Secret (default: file)',
      ).choices(['file', 'secret']),
    )
    .option('--dns <name>', 'Additional DNS name in the serving certificate; repeatable', repeatableList)
    .option('--ip <address>', 'Additional IP address in the serving certificate; repeatable', repeatableList)
    .option('--cluster-domain <domain>', 'DNS domain of the cluster (default: cluster.local)')
    .option('--no-name-constraints', 'Create a CA without X.509 name constraints, which can sign certificates for any name')
    .addOption(new Option('--issuer <type>', 'Issuer of the serving certificate; see docs/issuers.md').choices(issuerTypes))
    .option('--issuer-ref <name>', 'With --issuer cert-manager: name of the Issuer or ClusterIssuer that signs the certificate')
    .addOption(
      new Option('--issuer-kind <kind>', 'Kind of the issuer that --issuer-ref names (default: Issuer)').choices([
        'Issuer',
        'ClusterIssuer',
      ]),
    )
    .option('--signer <name>', 'With --issuer csr: signerName of the CertificateSigningRequest, for example example.com/serving')
    .option('--ca-bundle <file>', 'With --issuer existing-secret or csr: file with the CA certificates that verify the serving certificate')
    .option('--cluster-trust-bundle <name>', 'With --issuer csr: ClusterTrustBundle with the CA certificates of the signer')
    .option('--ca-cert <file>', 'Certificate of an existing CA that signs the serving certificate')
    .option('--ca-key <file>', 'Private key of the CA in --ca-cert; apisvc does not copy the key to the project')
    .option('--ca-key-passphrase-file <file>', 'File that contains the passphrase for --ca-key')
    .option('--ca-key-passphrase-env <name>', 'Environment variable that contains the passphrase for --ca-key')
    .option('--force', 'Replace an existing apisvc.yaml')
    .option('--force-keys', 'Replace existing keys and certificates')
    .option('--from-cluster <apiservice>', 'Create the project from this APIService in the cluster, without changing the cluster');
  withCluster(command, '30s')
    .addHelpText(
      'after',
      examples(
        'apisvc init                   # prompt for the values, show the files, and print the equivalent command',
        'apisvc init demo --preset sample-apiserver --yes',
        'apisvc init my-apiserver --api my.group.example.com/v1 --image registry.example.com/my-apiserver:1.0',
        'apisvc init metrics --preset metrics-server-existing',
        'apisvc init metrics --from-cluster v1beta1.metrics.k8s.io   # describe an API that is already registered',
        'apisvc init --force-keys      # replace the keys and certificates of this project',
      ),
    )
    .action(run(async () => (await import('../../commands/init.ts')).init));
}
