import type { Encoding, PemItem } from '../../pki/types.ts';
import { decodeBundle } from '../../snapshot/ca-bundle.ts';
import type { Code } from '../catalog.ts';
import type { Observation } from '../types.ts';
import { type Check, type CheckContext, findMessage, observation, quote, works } from './check.ts';
import { annotationLine, injectorsOf } from './injectors.ts';

/**
 * The content of the caBundle. kube-apiserver does not validate it when it is written
 * (kube-aggregator validation.go).
 */
export const checkBundle: Check = (context) => {
  const { api, bundle } = context;
  if (!api.service || api.insecureSkipTLSVerify) return [];
  if (api.caBundle === '') return withoutBundle(context);
  const { items, certificates } = bundle;
  const key = items.find(({ kind }) => kind === 'private-key');
  const broken = items.flatMap((item) => (item.kind === 'broken' ? [`line ${item.line}: ${item.reason}`] : []));
  return [
    ...(key ? [observation('bundle/private-key', [`line ${key.line} of the decoded caBundle`])] : []),
    ...(certificates.length === 0
      ? [observation(codeOf(items), [`caBundle: ${decodeBundle(api).length} bytes without a PEM certificate`, ...broken])]
      : broken.length > 0
        ? [observation('bundle/damaged-certificate', broken)]
        : []),
  ];
};

/** The finding for a caBundle without certificates. */
function codeOf(items: readonly PemItem[]): Code {
  const has = (encoding: Encoding): boolean => items.some((item) => item.kind === 'broken' && item.encoding === encoding);
  return has('der') ? 'bundle/der' : has('base64-of-pem') ? 'bundle/encoded-twice' : 'bundle/unparsable';
}

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
    ...(source === 'files' && !injector && !mayBeFilledIn(context)
      ? [observation('bundle/empty', ['spec.caBundle is empty, and no annotation requests its injection'])]
      : []),
  ];
}

/** Whether a server of the files may set the empty caBundle itself, as Antrea and KEDA do. */
export const mayBeFilledIn = ({ api, snapshot }: CheckContext): boolean =>
  api.caBundle === '' && !api.insecureSkipTLSVerify && injectorsOf(api).length === 0 && (snapshot.related?.writers ?? []).length > 0;
