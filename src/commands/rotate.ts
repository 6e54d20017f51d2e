import { join } from 'node:path';
import type { Cluster } from '../cluster/cluster.ts';
import { durationText } from '../config/duration.ts';
import { fileExists } from '../config/file-errors.ts';
import { issuerFlags } from '../config/issuer-flags.ts';
import { apiServiceNames, secretName } from '../config/registration.ts';
import { responsibilitiesOf } from '../config/responsibilities.ts';
import type { Registration } from '../config/schema.ts';
import { shellWord } from '../config/shell-word.ts';
import { clusterFlagsOf } from '../diagnosis/fix.ts';
import { ApisvcError, Exit, type ExitCode, InterruptedError, RefusedError, UsageError } from '../errors.ts';
import { issueCertificates } from '../issuers/issuers.ts';
import { readNextSet } from '../operations/rotate/sets.ts';
import { planRotation, rotate as rotateCertificates } from '../operations/rotate.ts';
import { bundleText } from '../operations/rotation/bundles.ts';
import type { RotateReport, RotateRequest, RotateResult } from '../operations/rotation/request.ts';
import type { RotationKind } from '../operations/rotation/rotation.ts';
import { anchorsIn, caBundleOf } from '../pki/anchors.ts';
import { type ExistingAuthority, loadAuthority } from '../pki/authority.ts';
import { certificateFaultFix, certificateFaultText } from '../pki/certificate-faults.ts';
import { inspect } from '../pki/inspect.ts';
import type { Authority, CertificateInfo } from '../pki/types.ts';
import { certificatesOf } from '../project/certificates.ts';
import { finishPromotion, hasNext } from '../project/generations.ts';
import type { CertificatesToWrite } from '../project/project.ts';
import { projectFiles, readRegistration } from '../project/project.ts';
import { readPem } from '../project/read.ts';
import { failedRotationJson, rotationJson, rotationText } from '../report/rotation.ts';
import { readAuthority } from './ca-flags.ts';
import { newCa, signedBySecret } from './ca-key-in-secret.ts';
import { explainInterrupt, runAgain, withCluster } from './cluster.ts';
import { type GivenKeys, type KeysFlag, readGivenKeys } from './keys-flag.ts';
import { progressOn } from './progress.ts';
import { renewal } from './renewal.ts';
import type { RotateFlags, Way } from './rotate-flags.ts';
import { projectCommands } from './selection.ts';
import { explainShortAuthority, setLifetime } from './short-authority.ts';
import { signedNext } from './signed-next.ts';
import type { Terminal } from './terminal.ts';
import { exitCodeOf } from './verdict.ts';

/** `apisvc rotate`: replaces the serving certificate, and with --ca the CA, or rolls back. */
export async function rotate(flags: RotateFlags, _: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const { directory: dir } = flags;
  const registration = readRegistration(dir);
  refuseForeign(registration, dir);
  const isRenewed = responsibilitiesOf(registration).renewedInCluster === true;
  const { kind, run } = isRenewed ? renewal(flags, registration) : await ownRotation(flags, registration, terminal);
  requireTimeToSoak(kind, flags);
  let report: RotateReport = { kind, steps: [] };
  const work = (cluster: Cluster, signal: AbortSignal): Promise<RotateResult> =>
    run(cluster, {
      dir,
      registration,
      kind,
      dryRun: flags.dryRun === true,
      ifExpiresWithin: flags.ifExpiresWithin,
      soakMs: flags.soak,
      restart: flags.restart,
      nudge: flags.nudge === true,
      forceConflicts: flags.forceConflicts === true,
      clusterFlags: clusterFlagsOf(flags),
      holder: terminal.holder,
      project: projectCommands(dir, registration),
      signal,
      onProgress: progressOn(terminal),
      onReport: (now) => {
        report = now;
      },
    });
  const result = await withCluster(flags, terminal, 'rotating', work)
    .catch((error) => explainInterrupt(error, flags, interruptFix(flags, report, isRenewed)))
    .catch((error) => reportFailure(error, flags, report, terminal));
  const text = flags.output === 'json' ? rotationJson(result) : rotationText(result, terminal.outColors, clusterFlagsOf(flags));
  await terminal.result(text).catch((error) => {
    // The result is in the cluster, not on stdout.
    if (error instanceof ApisvcError) error.fix = completeFix(flags, report) ?? error.fix;
    throw error;
  });
  return result.diagnosis ? exitCodeOf(result.diagnosis) : Exit.ok;
}

/** apisvc has the keys, in certs/. */
async function ownRotation(flags: RotateFlags, registration: Registration, terminal: Terminal): Promise<Way> {
  const { directory: dir } = flags;
  // The checks before the Lease read certs/, which an interrupted rotation may have moved away.
  if (!flags.dryRun) finishPromotion(dir);
  // A damaged certs/next is refused even where the cluster does not answer.
  readNextSet(dir, registration, flags.abort === true);
  const authority = await readAuthority(flags, terminal, new Date())?.();
  const kind = kindOf(flags, registration, authority);
  const keys = await readGivenKeys(flags, { dir, registration, command: 'rotate' }, terminal);
  const issueWith =
    (caKey: GivenKeys['caKey']): RotateRequest['issue'] =>
    (anchors) =>
      issueNext(dir, registration, { kind, given: authority, caKey, keysFrom: flags.keys, anchors });
  const run: Way['run'] = async (cluster, asked) => {
    const given: RotateRequest = { ...asked, abort: flags.abort === true, issue: issueWith(keys.caKey), key: keys.key };
    const isSigned = responsibilitiesOf(registration).signedInCluster === true;
    const signing = isSigned ? await signedNext(cluster, given) : signedBySecret(cluster, given, { caKey: keys.caKey, issueWith });
    const request = { ...given, ...signing };
    return flags.dryRun ? planRotation(cluster, request) : rotateCertificates(cluster, request);
  };
  return { kind, run };
}

/** Whoever makes the key, or renews the Secret, rotates the certificate. @throws RefusedError */
function refuseForeign(registration: Registration, directory: string): void {
  const { namespace } = registration.metadata;
  const running = registration.spec.server.existing && apiServiceNames(registration)[0];
  const refusal = responsibilitiesOf(registration).refusesRotation?.({ namespace, name: secretName(registration), directory, running });
  if (refusal) throw new RefusedError(`apisvc does not rotate this certificate: ${refusal.why}`, { fix: refusal.way });
}

/** Every run watches the endpoints for the whole time. @throws UsageError */
function requireTimeToSoak(kind: RotationKind, { soak, timeout, dryRun }: RotateFlags): void {
  if (kind === 'leaf' || dryRun || soak < timeout) return;
  throw new UsageError(`--timeout ${durationText(timeout)} ends the rotation before --soak ${durationText(soak)} has passed`, {
    fix: 'Set a longer --timeout, or a shorter --soak.',
  });
}

/** After its last step, a rotation is complete: the same command would start another one. */
function completeFix({ abort }: RotateFlags, { steps }: RotateReport): string | undefined {
  const isComplete = steps.length > 0 && steps.every(({ id, state }) => id === 'verify' || state === 'done' || state === 'skipped');
  return isComplete ? `The ${abort ? 'rollback' : 'rotation'} is complete. To check the API: apisvc verify` : undefined;
}

function interruptFix(flags: RotateFlags, report: RotateReport, isRenewed: boolean): string {
  const complete = completeFix(flags, report);
  if (complete !== undefined) return complete;
  // Before the new certificates are in certs/next, there is nothing to roll back.
  if (isRenewed || (!flags.abort && !hasNext(flags.directory))) return `${runAgain}.`;
  return flags.abort ? `${runAgain}, or continue the rotation: apisvc rotate` : `${runAgain}, or roll back: apisvc rotate --abort`;
}

/** Scripts learn which steps are done. @throws the error, whose exit code says the same */
async function reportFailure(error: unknown, { output }: RotateFlags, report: RotateReport, terminal: Terminal): Promise<never> {
  if (output === 'json' && error instanceof ApisvcError) {
    await terminal.result(failedRotationJson(report, error instanceof InterruptedError ? 'interrupted' : 'failed', error));
  }
  throw error;
}

/** With --ca, or with a CA other than the one in certs/ca.crt, the CA is replaced. */
function kindOf({ ca, directory }: RotateFlags, { spec }: Registration, authority: Authority | undefined): RotationKind {
  if (authority && issuerFlags[spec.certificates.issuer.type].selectedBy !== 'caCert') {
    throw new UsageError(
      `--ca-cert needs the issuer type "ca", but ${projectFiles(directory).configuration} has "${spec.certificates.issuer.type}"`,
      {
        fix: 'Remove --ca-cert and --ca-key, or change spec.certificates.issuer in apisvc.yaml.',
      },
    );
  }
  if (!authority) return ca ? 'ca' : 'leaf';
  const current = certificatesOf(directory, 'caCertificate').map(({ fingerprint }) => fingerprint);
  const given = inspect(caBundleOf({ anchors: anchorsIn(authority.certificates, 'next') })).certificates;
  const same = given.every(({ fingerprint }) => current.includes(fingerprint)) && given.length === current.length;
  if (same && ca) {
    throw new UsageError('--ca requires a new CA, but --ca-cert is the CA in use', { fix: 'Remove --ca, or set --ca-cert to another CA.' });
  }
  return same ? 'leaf' : 'ca';
}

interface Signing {
  readonly kind: RotationKind;
  /** The CA of the command line. */
  readonly given: Authority | undefined;
  /** The key of the project's CA that --keys or a Secret gives. It stays where it is. */
  readonly caKey: GivenKeys['caKey'];
  /** The value of --keys. */
  readonly keysFrom: KeysFlag['keys'];
  /** The CA certificates of the project, also where a dry run does not restore them. */
  readonly anchors: readonly CertificateInfo[];
}

/** A new CA signs the new certificate, or the CA of the project does. */
async function issueNext(dir: string, registration: Registration, signing: Signing): Promise<CertificatesToWrite> {
  const { kind, given, caKey } = signing;
  const { type } = registration.spec.certificates.issuer;
  const isOwn = !given && kind === 'leaf' && (issuerFlags[type].keepsCaKey || caKey !== undefined);
  const own = isOwn ? ownAuthority(dir, signing) : undefined;
  const made = await issueCertificates(registration, { given: given ?? own, now: new Date() }).catch((error) =>
    explainShortAuthority(error, { ...(own ? { newAuthority: newCa } : {}), shorter: setLifetime(dir) }),
  );
  return own && caKey ? { issued: made.issued } : made;
}

/** The CA of the project. @throws UsageError with a way out where it cannot sign */
function ownAuthority(dir: string, { anchors, caKey, keysFrom }: Signing): Authority {
  const files = projectFiles(dir);
  const needed = (part: string): string => `rotate needs the ${part} of the CA to sign the new serving certificate`;
  if (!caKey && !fileExists(files.caKey)) {
    const way =
      keysFrom === undefined ? 'Restore the file, or pass the key with --keys.' : 'Pass the private key of the CA with --keys, too.';
    throw new UsageError(`${notFound(files, keysFrom)}; ${needed('private key')}`, { fix: `${way} ${newCa}` });
  }
  const isLost = !fileExists(files.caCertificate);
  if (isLost && anchors.length === 0) {
    throw new UsageError(
      `${files.caCertificate} not found, and no caBundle has the CA that signed ${files.certificate}; ${needed('certificate')}`,
      {
        fix: `Restore the file. ${newCa}`,
      },
    );
  }
  const certificates = isLost ? bundleText(anchors) : readPem(files.caCertificate);
  return signingAuthority(files, { certificates, key: caKey?.reveal() ?? readPem(files.caKey), now: new Date() });
}

/** Where the key of the CA is not. */
function notFound({ caKey, caCertificate }: ReturnType<typeof projectFiles>, keysFrom: KeysFlag['keys']): string {
  if (keysFrom === undefined) return `${caKey} not found`;
  return keysFrom === '-' ? `standard input: found no private key that matches ${caCertificate}` : `${join(keysFrom, 'ca.key')} not found`;
}

/** @throws UsageError with every fault of the CA */
function signingAuthority(files: ReturnType<typeof projectFiles>, existing: ExistingAuthority): Authority {
  const { authority, faults } = loadAuthority(existing);
  if (authority) return authority;
  const fix = faults.map((fault) => certificateFaultFix(fault, shellWord(files[fault.part]))).find((text) => text !== undefined);
  throw new UsageError(faults.map((fault) => certificateFaultText(fault, files)).join('\n'), {
    fix: [fix, newCa].filter(Boolean).join('\n'),
  });
}
