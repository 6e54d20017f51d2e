import { projectAnnotation } from '../../manifests/labels.ts';
import { timeText } from '../../pki/time-text.ts';
import type { CertificateInfo, Encoding, PemItem } from '../../pki/types.ts';
import { decodeBundle } from '../../snapshot/ca-bundle.ts';
import { type Code, catalog } from '../catalog.ts';
import type { Observation } from '../types.ts';
import { type Check, type CheckContext, findMessage, observation, quote, works } from './check.ts';
import { annotationLine, injectorsOf } from './injectors.ts';
import { nameOf, servedBy } from './served-certificates.ts';

/**
 * The content of the caBundle. kube-apiserver does not validate it when it is written
 * (kube-aggregator validation.go).
 */
export const checkBundle: Check = (context) => {
  const { api, bundle } = context;
  if (!api.service || api.insecureSkipTLSVerify) return [];
  // A value that cannot be decoded has a finding of its own.
  if (bundleFault(context)) return [];
  if (api.caBundle === '') return withoutBundle(context);
  // A controller replaces what is in the file.
  if (context.source === 'files' && injectorsOf(api).length > 0) return [];
  const { items, certificates } = bundle;
  const key = items.find(({ kind }) => kind === 'private-key');
  const broken = items.flatMap((item) => (item.kind === 'broken' ? [`line ${item.line}: ${item.reason}`] : []));
  return [
    ...(key ? [observation('bundle/private-key', [`line ${key.line} of the decoded caBundle`])] : []),
    ...(certificates.length === 0
      ? [observation(codeOf(items), [`caBundle: ${decodeBundle(api).length} bytes, no PEM certificate`, ...broken])]
      : broken.length > 0
        ? [observation('bundle/damaged-certificate', broken)]
        : []),
    ...checkDates(context),
  ];
};

const bundleFault = ({ snapshot }: CheckContext): boolean =>
  snapshot.manifest?.faults.some(({ kind, path }) => kind !== 'duplicate-key' && path.join('.') === 'spec.caBundle') ?? false;

/**
 * The dates of the CAs in files without a serving certificate. One valid CA is enough for a
 * certificate that is not known.
 */
function checkDates(context: CheckContext): readonly Observation[] {
  const { roots, source, now, expiresWithinMs } = context;
  if (source !== 'files' || roots.length === 0 || servedBy(context).length > 0) return [];
  const evidence = (ca: CertificateInfo, words: string) => [`${nameOf(ca)}, SHA-256 ${ca.fingerprint}`, words];
  const isExpired = (ca: CertificateInfo): boolean => Date.parse(ca.notAfter) < now.getTime();
  const isEarly = (ca: CertificateInfo): boolean => Date.parse(ca.notBefore) > now.getTime();
  const last = roots.toSorted((one, other) => Date.parse(other.notAfter) - Date.parse(one.notAfter))[0] as CertificateInfo;
  if (roots.every((ca) => isExpired(ca) || isEarly(ca))) {
    return roots.map((ca) => {
      const args = { subject: nameOf(ca), date: isExpired(ca) ? ca.notAfter.slice(0, 10) : timeText(ca.notBefore) };
      return isExpired(ca)
        ? observation('cert/ca-expired', evidence(ca, `expired at ${timeText(ca.notAfter)}`), args)
        : observation('cert/ca-not-yet-valid', evidence(ca, `valid from ${timeText(ca.notBefore)}`), args);
    });
  }
  if (Date.parse(last.notAfter) - now.getTime() >= expiresWithinMs) return [];
  const date = last.notAfter.slice(0, 10);
  const args = { subject: nameOf(last), date, deadline: date };
  return [observation('bundle/expires-soon', evidence(last, `expires at ${timeText(last.notAfter)}`), args)];
}

/** The finding for a caBundle without certificates. */
function codeOf(items: readonly PemItem[]): Code {
  const has = (encoding: Encoding): boolean => items.some((item) => item.kind === 'broken' && item.encoding === encoding);
  return has('der') ? 'bundle/der' : has('base64-of-pem') ? 'bundle/encoded-twice' : 'bundle/unparsable';
}

/** The codes of a field that was meant to be the caBundle, or to make it needless. */
const meant = ({ snapshot }: CheckContext): readonly Code[] =>
  (snapshot.manifest?.faults ?? []).flatMap(({ kind, path, suggestion }): Code[] => {
    const field = kind === 'unknown-field' ? (suggestion ?? '') : path.join('.');
    if (!/^spec\.(?:caBundle|insecureSkipTLSVerify)$/.test(field)) return [];
    return kind === 'unknown-field' ? ['registration/unknown-field'] : kind === 'wrong-type' ? ['registration/wrong-type'] : [];
  });

/**
 * In a cluster, an empty caBundle may work: kube-apiserver then trusts the roots of its host. In
 * files, that is unknown.
 */
function withoutBundle(context: CheckContext): readonly Observation[] {
  const { api, source } = context;
  const [injector] = injectorsOf(api);
  const untrusted = findMessage(context, 'unknown-authority');
  return [
    ...(injector && source === 'cluster' && !works(context)
      ? [
          observation('bundle/not-injected', [annotationLine(injector), 'spec.caBundle is empty'], {
            injector: injector.controller,
            annotation: `${injector.annotation}: ${injector.value}`,
          }),
        ]
      : []),
    ...(untrusted ? [observation('bundle/empty', [quote(untrusted)])] : []),
    ...(source === 'files' && !injector && bundleWriter(context) === undefined
      ? [
          {
            ...observation('bundle/empty', ['spec.caBundle is empty, and no annotation requests its injection']),
            explainedBy: [...catalog['bundle/empty'].explainedBy, ...meant(context)],
          },
        ]
      : []),
  ];
}

/**
 * Who fills in the empty caBundle of files: apisvc, if it rendered the APIService (`--ca-bundle
 * omit`), or perhaps a server of the files, as Antrea and KEDA do. Undefined for nobody.
 */
export function bundleWriter({ api, snapshot }: CheckContext): string | undefined {
  const { manifest, related } = snapshot;
  // A placeholder is not kept.
  const written = manifest?.faults.some(({ path }) => path.join('.') === 'spec.caBundle') ?? false;
  if (written || api.caBundle !== '' || api.insecureSkipTLSVerify || injectorsOf(api).length > 0) return undefined;
  if (api.annotations[projectAnnotation] !== undefined) return 'the register command writes it';
  const writers = related?.writers ?? [];
  return writers.length > 0 ? `${writers.join(', ')} may update the APIService and fill it in` : undefined;
}
