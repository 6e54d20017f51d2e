import { timeText } from '../../pki/time-text.ts';
import { wouldAccept } from '../../pki/trust.ts';
import type { CertificateInfo } from '../../pki/types.ts';
import { mountsAt } from '../../snapshot/secret-mounts.ts';
import { certificateFiles } from '../../snapshot/server-flags.ts';
import type { SecretView } from '../../snapshot/types.ts';
import type { Observation } from '../types.ts';
import { workloadText } from './certificates-in-files.ts';
import { aboutEntry, asWarning, type Check, type CheckContext, observation, seen, works } from './check.ts';
import { isRotated } from './rotation.ts';
import { nameOf, type Served, served, servedBy } from './served-certificates.ts';

/** The Secret with the serving certificate: its content, and whether the endpoints serve it. */
export const checkSecret: Check = (context) => {
  const { secret } = context.snapshot;
  if (secret.state === 'absent') {
    const name = mountedName(context);
    return [warnIfWorks(context, observation('cert/secret-missing', [`the pods mount the Secret ${name}`], { secret: name }))];
  }
  const view = seen(secret);
  return view ? [...checkContent(context, view), ...checkReload(context, view)] : [];
};

/** An observation about an entry of the Secret. */
const onEntry = ({ api }: CheckContext, name: string, entry: string, observed: Observation): Observation => ({
  ...observed,
  about: aboutEntry(api, name, entry),
});

/** A running server keeps the certificate that it has loaded. */
const warnIfWorks = (context: CheckContext, observed: Observation): Observation => (works(context) ? asWarning(observed) : observed);

/** The name of the Secret that provides the certificate file of the server. */
function mountedName({ snapshot }: CheckContext): string {
  const server = seen(snapshot.server);
  const file = certificateFiles(server?.flags ?? []).certificate ?? '';
  return server?.certificateSecret ?? mountsAt(server?.secrets ?? [], file)[0]?.name ?? '(unknown)';
}

function checkContent(context: CheckContext, view: SecretView): readonly Observation[] {
  const { name, type, entries, certificates, keyMatches, otherKeys } = view;
  const { certificate: certificateEntry = 'tls.crt', key: keyEntry = 'tls.key' } = entries ?? {};
  const args = { secret: name, type, certificateEntry, keyEntry };
  const caKeys = otherKeys.filter((key) => /(?:^|[-_.])ca\.key$|^ca[-_]key\.pem$/.test(key));
  const [caKey] = caKeys;
  const unreadable = [`Secret ${name} of type ${type}: no certificate in ${certificateEntry}`];
  return [
    ...(certificates.length === 0
      ? [onEntry(context, name, certificateEntry, warnIfWorks(context, observation('cert/secret-unreadable', unreadable, args)))]
      : []),
    ...(keyMatches === false
      ? [onEntry(context, name, keyEntry, observation('security/key-mismatch', certificates.slice(0, 1).map(inSecret), args))]
      : []),
    ...(caKey === undefined
      ? []
      : [
          onEntry(
            context,
            name,
            caKey,
            observation('security/ca-key-in-secret', [`entries: ${caKeys.join(', ')}`], { secret: name, key: caKey }),
          ),
        ]),
  ];
}

const inSecret = (certificate: CertificateInfo): string =>
  `in the Secret: ${nameOf(certificate)}, valid from ${timeText(certificate.notBefore)}, SHA-256 ${certificate.fingerprint}`;

/** Whether the pods have loaded the certificate of the Secret, and whether they can. */
function checkReload(context: CheckContext, { name, pods, certificates }: SecretView): readonly Observation[] {
  const [leaf] = certificates;
  const server = seen(context.snapshot.server);
  const { workload } = context.snapshot.related ?? {};
  const args = { secret: name, workload: workload ? workloadText(workload) : `Pod ${server?.pod}` };
  const mount = server?.secrets.find((each) => each.name === name && each.subPath);
  const differing = leaf
    ? servedBy(context).filter(
        ({ pod, presented }) => pod !== undefined && pods.includes(pod) && presented[0]?.fingerprint !== leaf.fingerprint,
      )
    : [];
  const helps = differing.length > 0 && restartHelps(context, certificates, differing);
  const rate = (observed: Observation): Observation => ({ ...observed, severity: helps ? 'error' : 'warning' });
  // A rotation writes the Secret, and waits for the pods.
  const late = helps
    ? differing
    : differing.filter(({ presented }) => !leaf || !isRotated(context, leaf) || !presented[0] || !isRotated(context, presented[0]));
  return [
    ...(mount ? [rate(observation('cert/sub-path-mount', [`mounted at ${mount.mountPath} with subPath`], args))] : []),
    ...(leaf ? groupByCertificate(late).map((same) => rate(differs(context, { name, leaf, same }))) : []),
  ];
}

/**
 * Whether kube-apiserver refuses the served certificate, but would accept the one in the Secret.
 */
function restartHelps(
  { api, host, roots, now }: CheckContext,
  certificates: readonly CertificateInfo[],
  differing: readonly Served[],
): boolean {
  if (!host || api.insecureSkipTLSVerify) return false;
  const accepts = (presented: readonly CertificateInfo[]) => wouldAccept({ presented, roots, hostname: host, now });
  return accepts(certificates) && differing.some(({ presented }) => !accepts(presented));
}

/** Endpoints with the same certificate are one finding. Others may have another cause. */
function groupByCertificate(differing: readonly Served[]): readonly (readonly Served[])[] {
  const prints = new Set(differing.map(({ presented }) => presented[0]?.fingerprint));
  return [...prints].map((print) => differing.filter(({ presented }) => presented[0]?.fingerprint === print));
}

interface Difference {
  /** The name of the Secret. */
  readonly name: string;
  readonly leaf: CertificateInfo;
  readonly same: readonly Served[];
}

function differs({ snapshot }: CheckContext, { name, leaf, same }: Difference): Observation {
  const at = same.map((each) => each.at);
  const server = seen(snapshot.server);
  const started =
    server?.startedAt && same.some(({ pod }) => pod === server.pod) ? [`pod ${server.pod}: running since ${server.startedAt}`] : [];
  const [shown] = same.flatMap(({ presented }) => presented.slice(0, 1).map(served));
  const args = { secret: name, endpoints: at.join(', '), pod: same[0]?.pod ?? '' };
  return { ...observation('cert/secret-differs', [inSecret(leaf), ...(shown ? [shown] : []), ...started], args), at };
}
