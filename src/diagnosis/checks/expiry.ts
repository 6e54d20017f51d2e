import { X509Certificate } from 'node:crypto';
import { chainsToRoots } from '../../pki/chains.ts';
import { timeText } from '../../pki/time-text.ts';
import type { CertificateInfo } from '../../pki/types.ts';
import type { Observation } from '../types.ts';
import { type Check, type CheckContext, observation, seen } from './check.ts';
import { isCaRotated } from './rotation.ts';
import { merge, nameOf, type ObservationAt, type Served, servedBy } from './served-certificates.ts';

/**
 * Certificates that expire soon, and CAs in the caBundle that no certificate needs. With
 * insecureSkipTLSVerify, only the serving certificates are checked.
 */
export const checkExpiry: Check = (context) => {
  const { api, host } = context;
  if (!host) return [];
  const roots = api.insecureSkipTLSVerify ? [] : context.roots;
  const all = servedBy(context);
  if (all.every(({ presented }) => hasNoFinding(context, presented))) return [];
  const chained = all.map((each) => ({ served: each, chains: chainsOf(each.presented, roots) }));
  const leaves = all.flatMap(({ presented }) => presented.slice(0, 1));
  const expiring = chained.flatMap(({ served, chains }) => expiringIn(context, served, chains, leaves));
  return [...merge(expiring), ...unusedCas(context, roots, chained)];
};

/**
 * Whether the dates alone prove that no finding exists. This saves the verification of signatures.
 */
function hasNoFinding(context: CheckContext, [leaf, ...others]: readonly CertificateInfo[]): boolean {
  const { roots } = context;
  const lasts = (ca: CertificateInfo): boolean => leaf !== undefined && expiryOf(leaf) - expiryOf(ca) <= toleranceMs;
  return (
    roots.length < 2 &&
    (leaf === undefined || !expiresSoon(context, leaf)) &&
    [...roots, ...others].every((ca) => lasts(ca) && !expiresSoon(context, ca))
  );
}

type Chain = readonly CertificateInfo[];

/** The chains that end at a root, each from the leaf up. */
function chainsOf([leaf, ...others]: readonly CertificateInfo[], roots: readonly CertificateInfo[]): readonly Chain[] {
  if (!leaf) return [];
  return chainsToRoots(leaf, others, roots).flatMap(({ certificates, missing }) => (missing ? [] : [certificates]));
}

const expiryOf = ({ notAfter }: CertificateInfo): number => Date.parse(notAfter);
/** The certificate that expires first. */
const firstToExpire = ([first, ...others]: readonly CertificateInfo[]): CertificateInfo | undefined =>
  first && others.reduce((one, other) => (expiryOf(other) < expiryOf(one) ? other : one), first);

/** @param leaves the serving certificates of all endpoints */
function expiringIn(
  context: CheckContext,
  { at, presented: [leaf] }: Served,
  chains: readonly Chain[],
  leaves: readonly CertificateInfo[],
): ObservationAt[] {
  if (!leaf) return [];
  // A cross-signed CA gives several chains. The one that expires last counts.
  const [chain] = chains.toSorted((one, other) => caExpiry(other) - caExpiry(one));
  const ca = firstToExpire(chain?.slice(1) ?? []);
  const root = chain?.at(-1);
  const found = [
    ...(expiresSoon(context, leaf) ? [expiryObservation('cert/expires-soon', leaf)] : []),
    ...(ca && expiresSoon(context, ca)
      ? [ca === root ? expiringRoot(context, ca, leaves) : expiryObservation('cert/expires-soon', ca)]
      : []),
    ...(ca && expiryOf(leaf) - expiryOf(ca) > toleranceMs
      ? [expiryObservation('cert/ca-expires-before-leaf', ca, [`serving certificate: expires at ${timeText(leaf.notAfter)}`])]
      : []),
  ];
  return found.map((each) => ({ ...each, at: [at] }));
}

/**
 * Helm generates a CA and its certificate one after the other, with the same lifetime (Sprig,
 * genCA and genSignedCert).
 */
const toleranceMs = 60_000;

const caExpiry = (chain: Chain): number => Math.min(...chain.slice(1).map(expiryOf));

/** The finding includes the serving certificates, so its fix names the date of the first expiry. */
function expiringRoot({ now }: CheckContext, root: CertificateInfo, leaves: readonly CertificateInfo[]): Observation {
  const valid = leaves.filter((leaf) => expiryOf(leaf) >= now.getTime());
  const { notAfter } = firstToExpire([root, ...valid]) ?? root;
  const found = expiryObservation('bundle/expires-soon', root);
  return { ...found, args: { ...found.args, deadline: notAfter.slice(0, 10) } };
}

const expiryObservation = (
  code: 'cert/expires-soon' | 'bundle/expires-soon' | 'cert/ca-expires-before-leaf',
  ca: CertificateInfo,
  more: string[] = [],
) =>
  observation(code, [`${nameOf(ca)}: expires at ${timeText(ca.notAfter)}, SHA-256 ${ca.fingerprint}`, ...more], {
    subject: nameOf(ca),
    date: ca.notAfter.slice(0, 10),
  });

/**
 * An expired certificate has its own finding. With insecureSkipTLSVerify nothing is verified, so it
 * is reported here.
 */
function expiresSoon({ api, now, expiresWithinMs }: CheckContext, certificate: CertificateInfo): boolean {
  const left = expiryOf(certificate) - now.getTime();
  return left < expiresWithinMs && (left >= 0 || api.insecureSkipTLSVerify);
}

interface Chained {
  readonly served: Served;
  readonly chains: readonly Chain[];
}

/**
 * CAs that no certificate chains to. Reported only if every endpoint was reached and serves a
 * trusted certificate. During a rotation, the caBundle has the old and the new CA. They have the
 * same name or the same key, or one signed the other, or the Secret already has a certificate of
 * the new CA.
 */
function unusedCas(context: CheckContext, roots: readonly CertificateInfo[], chained: readonly Chained[]): readonly Observation[] {
  const { snapshot, probes, now } = context;
  if (isCaRotated(context)) return [];
  if (chained.length === 0 || chained.length < probes.length || chained.some(({ chains }) => chains.length === 0)) return [];
  const used = [...chained.flatMap(({ chains }) => chains.flat()), ...chainsOf(seen(snapshot.secret)?.certificates ?? [], roots).flat()];
  // Nobody can impersonate a server with an expired CA.
  const valid = roots.filter((root) => expiryOf(root) > now.getTime());
  const unused = valid.filter((root) => !used.some((each) => isRelated(root, each)));
  if (unused.length === 0) return [];
  const lines = unused.slice(0, maxListedCas).map((ca) => `${nameOf(ca)}, SHA-256 ${ca.fingerprint}`);
  const more = unused.length > maxListedCas ? [`and ${unused.length - maxListedCas} more`] : [];
  return [observation('bundle/unused-ca', [...lines, ...more], { count: String(unused.length) })];
}

const maxListedCas = 5;

const isRelated = (one: CertificateInfo, other: CertificateInfo): boolean =>
  one.pem === other.pem ||
  one.subject === other.subject ||
  one.issuer === other.subject ||
  one.subject === other.issuer ||
  new X509Certificate(one.pem).publicKey.equals(new X509Certificate(other.pem).publicKey);
