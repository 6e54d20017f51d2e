import { matchesHostname } from '../pki/hostname.ts';
import type { CertificateInfo } from '../pki/types.ts';
import type { SecretContent } from './secret-content.ts';
import { mountedEntries, type SecretMount } from './secret-mounts.ts';
import type { CertificateSource } from './server-view.ts';
import type { NamedFile } from './serving-files.ts';

/**
 * Finds the Secret with the serving certificate by what the mounted Secrets hold, where no flag of
 * k8s.io/apiserver tells.
 */

export interface ServingSearch {
  /** The mounts of the container that serves. */
  readonly mounts: readonly SecretMount[];
  readonly named: readonly NamedFile[];
  /** The Secrets that could be read. */
  readonly contents: readonly SecretContent[];
  /** The certificates that the endpoints serve. Empty where none was seen. */
  readonly served: readonly CertificateInfo[];
  /** The name that kube-apiserver verifies. */
  readonly host: string;
}

interface Candidate {
  readonly content: SecretContent;
  readonly entry: string;
  /** The better, the smaller. */
  readonly rank: number;
}

/**
 * Prefers the certificate that is served, then one that a flag or a variable names, then one that
 * is valid for the Service.
 * @returns the file, or the Secrets with equal claims: none, or several
 */
export function findServingSecret(search: ServingSearch): CertificateSource | readonly string[] {
  const candidates = search.contents.flatMap((content) => candidatesOf(search, content)).toSorted((one, other) => one.rank - other.rank);
  const [best] = candidates;
  if (!best) return unreadable(search);
  const equal = candidates.filter(({ rank }) => rank === best.rank);
  const secrets = [...new Set(equal.map(({ content }) => content.name))];
  // Where it is served, its copy in another Secret does not matter.
  if (secrets.length > 1 && best.rank > ranks.served) return secrets;
  const { content, entry } = equal.toSorted((one, other) => oddity(one.entry) - oddity(other.entry))[0] ?? best;
  return { secret: content.name, certificateEntry: entry, keyEntry: keyBeside(search, content, entry) };
}

/** A file without a certificate, if one is named. */
function unreadable(search: ServingSearch): CertificateSource | readonly [] {
  const [file, ...others] = search.named.filter(({ role, entry }) => role === 'certificate' && entry !== undefined);
  const content = search.contents.find(({ name }) => name === file?.secret);
  if (!content || file?.entry === undefined || others.some(({ entry }) => entry !== file.entry)) return [];
  return { secret: content.name, certificateEntry: file.entry, keyEntry: keyBeside(search, content, file.entry) };
}

const ranks = { served: 1, named: 2, inNamedFolder: 3, forHost: 4 };

function candidatesOf({ mounts, named, served, host }: ServingSearch, content: SecretContent): Candidate[] {
  const mounted = mountedOf(mounts, content);
  const names = named.filter(({ secret, role }) => secret === content.name && role === 'certificate');
  return content.entries.flatMap(({ name: entry, certificates: [leaf] }): Candidate[] => {
    if (!leaf || !mounted.has(entry)) return [];
    const isFor = isServing(leaf) && matchesHostname(leaf, host);
    const candidate = (rank: number) => [{ content, entry, rank }];
    if (served.some(({ fingerprint }) => fingerprint === leaf.fingerprint)) return candidate(ranks.served);
    if (names.some((each) => each.entry === entry)) return candidate(ranks.named);
    if (names.some((each) => each.entry === undefined) && isFor) return candidate(ranks.inNamedFolder);
    return isFor ? candidate(ranks.forHost) : [];
  });
}

const mountedOf = (mounts: readonly SecretMount[], { name, entries }: SecretContent): ReadonlySet<string> =>
  new Set(
    mounts
      .filter((mount) => mount.name === name)
      .flatMap((mount) =>
        mountedEntries(
          mount,
          entries.map((entry) => entry.name),
        ),
      ),
  );

const isServing = ({ extendedKeyUsage = ['any'] }: CertificateInfo): boolean =>
  extendedKeyUsage.some((usage) => usage === 'serverAuth' || usage === 'any');

/** `tls.crt` first, the certificate of a CA last: a self-signed certificate may be in both. */
const oddity = (entry: string): number => (entry === 'tls.crt' ? 0 : /(^|[-_.])ca([-_.]|$)/.test(entry) ? 2 : 1);

/**
 * The key that belongs to a certificate: named by a flag, with the same base name, or the only one.
 */
function keyBeside({ mounts, named }: ServingSearch, content: SecretContent, certificateEntry: string): string | undefined {
  const mounted = mountedOf(mounts, content);
  const keys = content.entries.filter(({ name, publicKey }) => publicKey !== undefined && mounted.has(name)).map(({ name }) => name);
  const flagged = named.find(({ secret, role, entry }) => secret === content.name && role === 'key' && entry !== undefined);
  const base = baseOf(certificateEntry);
  const beside = [...keys, ...mounted].find((name) => /key/.test(name) && baseOf(name) === base);
  const own = keys.filter((name) => oddity(name) < 2);
  return flagged?.entry ?? beside ?? (own.length === 1 ? own[0] : undefined);
}

/**
 * `tls` of `tls.crt`, `tls.key`, `tls-key.pem` and `tls-cert.pem`; nothing of `cert.pem` and
 * `key.pem`.
 */
const baseOf = (entry: string): string => entry.replace(/\.[a-z]+$/, '').replace(/(^|[-_.])(key|cert|crt|certificate)$/, '');

interface Unfound extends Pick<ServingSearch, 'served' | 'host'> {
  /** The mounted Secrets. */
  readonly names: readonly string[];
  /** Those with equal claims. */
  readonly equal: readonly string[];
}

/** Why the Secret is not known. */
export function whyUnknown({ names, equal, served, host }: Unfound): string {
  if (equal.length > 0) return `several mounted Secrets have a certificate for ${host}: ${equal.join(', ')}`;
  const wanted = served.length > 0 ? `the certificate that is served, or one for ${host}` : `a certificate for ${host}`;
  return names.length === 1
    ? `the mounted Secret ${names[0]} does not have ${wanted}`
    : `no mounted Secret (${names.join(', ')}) has ${wanted}`;
}
