import { getObject } from '../../cluster/objects.ts';
import { resources } from '../../cluster/resources.ts';
import type { KubeObject } from '../../manifests/types.ts';
import type { CertificateInfo } from '../../pki/types.ts';
import { seen, skipped, undecided } from '../observed.ts';
import { readSecret, type SecretContent, viewSecret } from '../secret-content.ts';
import { type CertificateLead, type CertificateSource, certificateLead, onlyNamed } from '../server-view.ts';
import { findServingSecret, whyUnknown } from '../serving-secret.ts';
import type { EndpointProbe, Observed, SecretView } from '../types.ts';
import type { CollectContext } from './context.ts';
import { observe } from './observe.ts';

/** The pods behind a Service. */
export interface PodsBehind {
  /** The pod whose flags and mounts are read. */
  readonly chosen: KubeObject;
  readonly pods: readonly KubeObject[];
  /**
   * Name or number of the container port behind the port of the Service. Undefined where the
   * Service lacks the port.
   */
  readonly targetPort: string | undefined;
  /** The name that kube-apiserver verifies. */
  readonly host: string;
  /** The handshakes with the endpoints. */
  readonly probing: Promise<{ readonly probes: Observed<readonly EndpointProbe[]> }>;
}

/**
 * Reads the Secret with the serving certificate of a pod. Where no flag names it, reads the Secrets
 * that the server mounts, and chooses by their content. Keys are compared with certificates, and
 * not kept.
 * @throws the reason of the signal
 */
export async function collectSecret(context: CollectContext, behind: PodsBehind): Promise<Observed<SecretView>> {
  const { chosen, targetPort } = behind;
  const lead = certificateLead(chosen, targetPort);
  if (lead.kind === 'none') return skipped(lead.words);
  if (lead.kind === 'unknown') return undecided(lead.words);
  if (lead.kind === 'mounts') return search(context, behind, lead);
  const content = await readContent(context, chosen, lead.source.secret);
  return content.state === 'seen' ? viewed(behind, content.value, lead.source) : content;
}

const readContent = (context: CollectContext, { metadata }: KubeObject, name: string): Promise<Observed<SecretContent>> =>
  observe(
    context,
    () => getObject(context.cluster, { resource: resources.Secret, namespace: metadata.namespace, name }, context.signal),
    readSecret,
  );

function viewed({ pods, targetPort }: PodsBehind, content: SecretContent, source: CertificateSource): Observed<SecretView> {
  const reading = pods.filter((pod) => mayRead(certificateLead(pod, targetPort), source));
  return { state: 'seen', value: { ...viewSecret(content, source), pods: reading.map(({ metadata }) => metadata.name) } };
}

/** Whether a pod gets its certificate from this entry, as far as its manifest tells. */
function mayRead(lead: CertificateLead, { secret, certificateEntry }: CertificateSource): boolean {
  if (lead.kind === 'mounts') return lead.mounts.some(({ name }) => name === secret);
  return lead.kind === 'file' && lead.source.secret === secret && lead.source.certificateEntry === certificateEntry;
}

async function search(
  context: CollectContext,
  behind: PodsBehind,
  { mounts, named }: Extract<CertificateLead, { kind: 'mounts' }>,
): Promise<Observed<SecretView>> {
  const names = [...new Set(mounts.map(({ name }) => name))];
  const read = await Promise.all(names.map((name) => readContent(context, behind.chosen, name)));
  const contents = read.flatMap((each) => seen(each) ?? []);
  const served = servedBy(seen((await behind.probing).probes) ?? []);
  const found = findServingSecret({ mounts, named, contents, served, host: behind.host });
  if ('secret' in found) {
    const content = contents.find(({ name }) => name === found.secret);
    if (content) return viewed(behind, content, found);
  }
  const certain = onlyNamed(named);
  if (certain !== undefined && read[names.indexOf(certain)]?.state === 'absent') return { state: 'absent' };
  return unreadOf(read, names) ?? undecided(whyUnknown({ names, equal: 'secret' in found ? [] : found, served, host: behind.host }));
}

/** The reason why the first Secret could not be read, and the names of the others. */
function unreadOf(read: readonly Observed<SecretContent>[], names: readonly string[]): Observed<never> | undefined {
  const unread = read.flatMap((each, index) => (each.state === 'unseen' ? [{ ...each, name: names[index] }] : []));
  const [first, ...others] = unread;
  if (!first) return undefined;
  const more = others.length > 0 ? `; the same for ${others.map(({ name }) => `Secret ${name}`).join(', ')}` : '';
  return { state: 'unseen', reason: first.reason, words: `${first.words}${more}` };
}

const servedBy = (probes: readonly EndpointProbe[]): CertificateInfo[] =>
  probes.flatMap(({ handshake }) => (handshake.kind === 'served' ? handshake.certificates.slice(0, 1) : []));
