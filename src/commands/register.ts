import type { Cluster } from '../cluster/cluster.ts';
import { refOf } from '../cluster/objects.ts';
import { describeRef } from '../cluster/resources.ts';
import type { RegisterPart } from '../config/register-parts.ts';
import { caSecretName } from '../config/registration.ts';
import { responsibilitiesOf } from '../config/responsibilities.ts';
import type { Registration } from '../config/schema.ts';
import { clusterFlagsOf } from '../diagnosis/fix.ts';
import { Exit, type ExitCode, UsageError } from '../errors.ts';
import { manifestsToRegister } from '../manifests/render.ts';
import type { OnProgress } from '../operations/progress.ts';
import { partsOf } from '../operations/register/parts.ts';
import type { RegisterRequest } from '../operations/register/request.ts';
import { dryRun, register as registerApi, registerPart } from '../operations/register.ts';
import type { PrivateKey } from '../pki/private-key.ts';
import type { Issued } from '../pki/types.ts';
import { caPairIn } from '../project/ca-key.ts';
import { certificatesToRegister } from '../project/certificates.ts';
import { finishPromotion, refuseDuringRotation } from '../project/generations.ts';
import { issuedInFiles } from '../project/issued.ts';
import { projectFiles, readRegistration } from '../project/project.ts';
import { diffText } from '../report/diff.ts';
import { resultJson } from '../report/json.ts';
import { appliedLine, appliedSummary } from '../report/progress.ts';
import { diagnosisText } from '../report/text.ts';
import { type ClusterFlags, explainInterrupt, runAgain, withCluster } from './cluster.ts';
import { issuedInCluster, newerInCluster } from './issued-in-cluster.ts';
import { type KeysFlag, readGivenKeys } from './keys-flag.ts';
import { progressOn } from './progress.ts';
import { projectCommands } from './selection.ts';
import { signedInCluster } from './signed-in-cluster.ts';
import type { Terminal } from './terminal.ts';
import { exitCodeOf } from './verdict.ts';

export interface RegisterFlags extends ClusterFlags, KeysFlag {
  readonly directory: string;
  readonly output: 'text' | 'json';
  readonly dryRun?: 'client' | 'server';
  readonly diff?: boolean;
  readonly forceConflicts?: boolean;
  readonly only?: readonly RegisterPart[];
}

/** `apisvc register`: applies the project to a cluster; with --dry-run or --diff only checks it. */
export async function register(flags: RegisterFlags, _: readonly string[], terminal: Terminal): Promise<ExitCode> {
  if (flags.diff && flags.dryRun) throw new UsageError('--diff cannot be used with --dry-run', { fix: 'Remove one of the two flags.' });
  const registration = readRegistration(flags.directory);
  if (!flags.dryRun && !flags.diff) finishPromotion(flags.directory);
  refuseDuringRotation(flags.directory);
  const { key: given } = await readGivenKeys(flags, { dir: flags.directory, registration, command: 'register' }, terminal);
  const read = (): ToRegister => {
    refuseDuringRotation(flags.directory);
    return certificatesOf(flags.directory, registration, new Date(), given);
  };
  const certificates = read();
  const ca = caSecretName(registration) === undefined ? undefined : caPairIn(flags.directory);
  const objectsWith = (issued: Issued | undefined) => manifestsToRegister(registration, issued, ca).map(({ object }) => object);
  const requestFor: RequestFor = async (cluster, signal, onProgress) => {
    const project = { dir: flags.directory, registration };
    const requestWith = (issued: Issued | undefined, readAgain: RegisterRequest['readAgain']): RegisterRequest => ({
      registration,
      issued,
      readAgain,
      objects: partsOf(objectsWith(issued), flags.only),
      isPart: flags.only !== undefined,
      ca,
      forceConflicts: flags.forceConflicts === true,
      clusterFlags: clusterFlagsOf(flags),
      project: projectCommands(flags.directory, registration),
      holder: terminal.holder,
      signal,
      onProgress,
    });
    const issuedOf = async ({ missingKey, issued }: ToRegister, report: OnProgress): Promise<Issued | undefined> => {
      const run = { cluster, signal, onProgress: report };
      if (!missingKey) return (issued && (await newerInCluster(cluster, project, issued, run))) ?? issued;
      if (!responsibilitiesOf(registration).signedInCluster) return issuedInCluster(cluster, project, missingKey, run);
      return signedInCluster(run, project, missingKey, {
        requestWith: (anchors) => requestWith(anchors, async () => anchors),
        isDryRun: flags.dryRun !== undefined || flags.diff === true,
      });
    };
    return requestWith(await issuedOf(certificates, onProgress), () => issuedOf(read(), () => {}));
  };
  if (flags.dryRun === 'client') {
    const { key } = projectFiles(flags.directory);
    if (certificates.missingKey)
      progressOn(terminal)({ kind: 'note', what: `${key} not found; the Secret in the cluster would stay unchanged` });
    return dryRunClient(partsOf(objectsWith(certificates.issued ?? certificates.missingKey), flags.only), flags, terminal);
  }
  if (flags.dryRun === 'server' || flags.diff) return dryRunServer(flags, terminal, requestFor);
  return apply(flags, terminal, requestFor);
}

interface ToRegister {
  /** Undefined where others issue, and no file names their CA. */
  readonly issued?: Issued | undefined;
  readonly missingKey?: Issued | undefined;
}

/** Where others issue, the files tell their CA at most. */
const certificatesOf = (dir: string, registration: Registration, now: Date, given: PrivateKey | undefined): ToRegister =>
  responsibilitiesOf(registration).inProject
    ? certificatesToRegister(dir, registration, now, given)
    : { issued: issuedInFiles(dir, registration, { withKey: false, now }) };

type RequestFor = (cluster: Cluster, signal: AbortSignal, onProgress: OnProgress) => Promise<RegisterRequest>;

async function apply(flags: RegisterFlags, terminal: Terminal, requestFor: RequestFor): Promise<ExitCode> {
  let changed = false;
  const { applied, diagnosis } = await withCluster(flags, terminal, 'registering', async (cluster, signal) => {
    const request = await requestFor(cluster, signal, (progress) => {
      changed ||= progress.kind === 'applied';
      progressOn(terminal)(progress);
    });
    return (flags.only ? registerPart : registerApi)(cluster, request);
  }).catch((error) =>
    explainInterrupt(
      error,
      flags,
      changed ? `${runAgain}. The applied objects stay in the cluster.` : 'Run the same command again. Nothing was changed.',
    ),
  );
  if (flags.output === 'json') {
    await terminal.result(resultJson({ applied, ...(diagnosis ? { diagnosis } : {}) }));
    return diagnosis ? exitCodeOf(diagnosis) : Exit.ok;
  }
  await terminal.result(`${appliedSummary(applied)}\n`);
  if (!diagnosis) return Exit.ok;
  await terminal.result(`\n${diagnosisText(diagnosis, terminal.outColors)}`);
  return exitCodeOf(diagnosis);
}

async function dryRunServer(flags: RegisterFlags, terminal: Terminal, requestFor: RequestFor): Promise<ExitCode> {
  const pairs = await withCluster(flags, terminal, 'checking', async (cluster, signal) =>
    dryRun(cluster, await requestFor(cluster, signal, progressOn(terminal))),
  );
  const applied = pairs.map((pair) => pair.applied);
  if (flags.output === 'json') await terminal.result(resultJson({ dryRun: 'server', applied }));
  else if (flags.diff) await terminal.result(diffText(pairs, terminal.outColors));
  else await terminal.result(`${applied.map((each) => `${appliedLine(each)} (server dry run)`).join('\n')}\n`);
  return flags.diff && applied.some(({ change }) => change !== 'unchanged') ? Exit.findings : Exit.ok;
}

async function dryRunClient(objects: RegisterRequest['objects'], flags: RegisterFlags, terminal: Terminal): Promise<ExitCode> {
  const names = objects.map((object) => describeRef(refOf(object)));
  if (flags.output === 'json') await terminal.result(resultJson({ dryRun: 'client', wouldApply: names }));
  else await terminal.result(`${names.map((name) => `${name} would be applied (client dry run)`).join('\n')}\n`);
  return Exit.ok;
}
