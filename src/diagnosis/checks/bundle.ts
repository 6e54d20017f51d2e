import { decodeBundle } from '../../snapshot/ca-bundle.ts';
import type { Code } from '../catalog.ts';
import type { Observation } from '../types.ts';
import { type Check, type CheckContext, observation, quote, spokenOf, works } from './check.ts';
import { annotationLine, injectorsOf } from './injectors.ts';

/** What the caBundle holds. Never checked by kube-apiserver when it is written (aggregation-layer validation.go). */
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
      ? [observation(formOf(broken), [`caBundle decodes to ${decodeBundle(api).length} bytes without a PEM certificate`, ...broken])]
      : broken.length > 0
        ? [observation('bundle/damaged-certificate', broken)]
        : []),
  ];
};

/** Which mistake made a caBundle without certificates, in the words of pki/inspect. */
function formOf(broken: readonly string[]): Code {
  if (broken.some((line) => line.includes('it is DER'))) return 'bundle/der';
  return broken.some((line) => line.includes('encoded once too often')) ? 'bundle/encoded-twice' : 'bundle/unparsable';
}

/** A cluster shows whether the roots of kube-apiserver's machine are enough; in files nothing speaks for it. */
function withoutBundle(context: CheckContext): readonly Observation[] {
  const { api, source } = context;
  const [injector] = injectorsOf(api);
  const untrusted = spokenOf(context, 'unknown-authority');
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
    ...(source === 'files' && !injector
      ? [observation('bundle/empty', ['neither spec.caBundle nor an annotation that has it injected'])]
      : []),
  ];
}
