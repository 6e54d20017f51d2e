import { parse } from 'yaml';
import { rbacRules } from '../cluster/status.ts';
import { scheduleFault } from '../config/cron.ts';
import { caSecretName, secretName } from '../config/registration.ts';
import { responsibilitiesOf } from '../config/responsibilities.ts';
import type { Registration } from '../config/schema.ts';
import { type ExitCode, UsageError } from '../errors.ts';
import { cronJobManifests } from '../manifests/cronjob.ts';
import { needsInPod } from '../operations/rotate/needs-in-pod.ts';
import { readConfiguration, readRegistration } from '../project/project.ts';
import { type RenderApartFlags, renderApart, requireImage } from './render-apart.ts';
import type { Terminal } from './terminal.ts';

export interface RenderCronJobFlags extends RenderApartFlags {
  readonly directory: string;
  readonly schedule?: string;
}

/** `apisvc render --cronjob`: the objects of a CronJob that rotates in the cluster. */
export async function renderCronJob(flags: RenderCronJobFlags, terminal: Terminal): Promise<ExitCode> {
  const { directory, schedule = '17 3 * * *' } = flags;
  const image = requireImage(flags);
  const fault = scheduleFault(schedule);
  if (fault !== undefined)
    throw new UsageError(`invalid schedule ${JSON.stringify(schedule)}: ${fault}`, {
      fix: 'Use the five fields of cron, for example "17 3 * * *", or a macro such as @daily.',
    });
  const registration = readRegistration(directory);
  requireKeyInCluster(registration, directory);
  const rules = rbacRules(needsInPod(registration, directory));
  const of = (isInCluster: boolean): object[] =>
    rules.filter(({ namespace }) => (namespace === undefined) === isInCluster).map(({ yaml }) => parse(yaml));
  const settings = { image, schedule, configuration: readConfiguration(directory), rules: { inNamespace: of(false), inCluster: of(true) } };
  return renderApart(cronJobManifests(registration, settings), '--cronjob', flags, terminal);
}

/** A pod has apisvc.yaml and the cluster. @throws UsageError where it cannot rotate with these */
function requireKeyInCluster(registration: Registration, directory: string): void {
  if (caSecretName(registration) !== undefined) return;
  const { type } = registration.spec.certificates.issuer;
  const { renewedInCluster, refusesRotation } = responsibilitiesOf(registration);
  const about = { namespace: registration.metadata.namespace, name: secretName(registration), directory };
  const refusal = refusesRotation?.(about);
  if (refusal) throw new UsageError(`--cronjob cannot be used with the issuer type "${type}": ${refusal.why}`, { fix: refusal.way });
  if (renewedInCluster)
    throw new UsageError(`--cronjob cannot be used with the issuer type "${type}": cert-manager renews the certificate itself`, {
      fix: 'Remove --cronjob. To renew the certificate now: apisvc rotate',
    });
  if (type === 'self-signed')
    throw new UsageError('--cronjob needs the private key of the CA in the cluster, but the key is in a file', {
      fix: 'In apisvc.yaml, set spec.certificates.issuer.caKey to "secret". Then: apisvc register',
    });
  throw new UsageError(
    `--cronjob cannot be used with the issuer type "${type}": the CronJob can only use a CA whose private key is in a Secret (issuer type "self-signed" with caKey: secret)`,
    {
      fix: 'Run apisvc rotate --if-expires-within 30d in the project directory, for example in CI.',
    },
  );
}
