import { X509Certificate } from 'node:crypto';
import { chainsToRoots } from '../../pki/chains.ts';
import type { CertificateInfo } from '../../pki/types.ts';
import type { Observation } from '../types.ts';
import { type Check, type CheckContext, observation, seen } from './check.ts';
import { merge, nameOf, type ObservationAt, type Served, servedBy } from './served.ts';

/** What still works and will not for long: dates ahead, and trust that nobody needs. Where nothing is verified only the certificates themselves have dates. */
export const checkAhead: Check = (context) => {
  const { api, host } = context;
  if (!host) return [];
  const roots = api.insecureSkipTLSVerify ? [] : context.roots;
  const all = servedBy(context);
  if (all.every(({ presented }) => isQuiet(context, presented))) return [];
  const chained = all.map((each) => ({ served: each, chains: chainsOf(each.presented, roots) }));
  const ends = chained.flatMap(({ served, chains }) => endsOf(context, served, chains));
  return [...merge(ends), ...unusedCas(context, roots, chained)];
};

/** Whether dates alone show that there is nothing to say: most often they do, and signatures take time to verify. */
function isQuiet(context: CheckContext, [leaf, ...others]: readonly CertificateInfo[]): boolean {
  const { roots } = context;
  const lasts = (ca: CertificateInfo): boolean => leaf !== undefined && endOf(ca) >= endOf(leaf);
  return (
    roots.length < 2 &&
    (leaf === undefined || !endsSoon(context, leaf)) &&
    [...roots, ...others].every((ca) => lasts(ca) && !endsSoon(context, ca))
  );
}

type Chain = readonly CertificateInfo[];

/** The chains that reach a root, each from the leaf up. */
function chainsOf([leaf, ...others]: readonly CertificateInfo[], roots: readonly CertificateInfo[]): readonly Chain[] {
  if (!leaf) return [];
  return chainsToRoots(leaf, others, roots).flatMap(({ certificates, missing }) => (missing ? [] : [certificates]));
}

const endOf = ({ notAfter }: CertificateInfo): number => Date.parse(notAfter);
/** Of several the one that ends first. */
const firstToEnd = ([first, ...others]: readonly CertificateInfo[]): CertificateInfo | undefined =>
  first && others.reduce((one, other) => (endOf(other) < endOf(one) ? other : one), first);

function endsOf(context: CheckContext, { at, presented: [leaf] }: Served, chains: readonly Chain[]): ObservationAt[] {
  if (!leaf) return [];
  // With a cross-signed CA there are several ways up; the one that lasts longest counts.
  const [chain] = chains.toSorted((one, other) => caEnd(other) - caEnd(one));
  const ca = firstToEnd(chain?.slice(1) ?? []);
  const root = chain?.at(-1);
  const found = [
    ...(endsSoon(context, leaf) ? [ending('cert/expires-soon', leaf)] : []),
    ...(ca && endsSoon(context, ca) ? [ending(ca === root ? 'bundle/expires-soon' : 'cert/expires-soon', ca)] : []),
    ...(ca && endOf(ca) < endOf(leaf) ? [ending('cert/ca-expires-before-leaf', ca, [`the certificate: ${leaf.notAfter}`])] : []),
  ];
  return found.map((each) => ({ ...each, at: [at] }));
}

const caEnd = (chain: Chain): number => Math.min(...chain.slice(1).map(endOf));

const ending = (
  code: 'cert/expires-soon' | 'bundle/expires-soon' | 'cert/ca-expires-before-leaf',
  ca: CertificateInfo,
  more: string[] = [],
) =>
  observation(code, [`${nameOf(ca)}: valid until ${ca.notAfter}, SHA-256 ${ca.fingerprint}`, ...more], {
    subject: nameOf(ca),
    date: ca.notAfter.slice(0, 10),
  });

/** Of what has ended already there is a finding of its own, but where nothing is verified. */
function endsSoon({ api, now, expiresWithinMs }: CheckContext, certificate: CertificateInfo): boolean {
  const left = endOf(certificate) - now.getTime();
  return left < expiresWithinMs && (left >= 0 || api.insecureSkipTLSVerify);
}

interface Chained {
  readonly served: Served;
  readonly chains: readonly Chain[];
}

/**
 * CAs that nothing at all chains to. Only said where everything was seen and is in order. In a rotation the old and the new CA stand side by side: they have the
 * same name, or one signed the other, or the Secret that the pods are about to load has a certificate of it.
 */
function unusedCas(
  { snapshot, probes }: CheckContext,
  roots: readonly CertificateInfo[],
  chained: readonly Chained[],
): readonly Observation[] {
  if (chained.length === 0 || chained.length < probes.length || chained.some(({ chains }) => chains.length === 0)) return [];
  const used = [...chained.flatMap(({ chains }) => chains.flat()), ...chainsOf(seen(snapshot.secret)?.certificates ?? [], roots).flat()];
  const unused = roots.filter((root) => !used.some((each) => isKin(root, each)));
  if (unused.length === 0) return [];
  const lines = unused.slice(0, shownCas).map((ca) => `${nameOf(ca)}, SHA-256 ${ca.fingerprint}`);
  const more = unused.length > shownCas ? [`and ${unused.length - shownCas} more`] : [];
  const count = unused.length === 1 ? 'a CA' : `${unused.length} CAs`;
  return [observation('bundle/unused-ca', [...lines, ...more], { count })];
}

const shownCas = 5;

const isKin = (one: CertificateInfo, other: CertificateInfo): boolean =>
  one.pem === other.pem ||
  one.subject === other.subject ||
  one.issuer === other.subject ||
  one.subject === other.issuer ||
  new X509Certificate(one.pem).publicKey.equals(new X509Certificate(other.pem).publicKey);
