import { inspect } from '../../pki/inspect.ts';
import type { CertificateInfo } from '../../pki/types.ts';
import type { ApiServiceView, Observation } from '../types.ts';
import { type Check, type CheckContext, observation, quote } from './check.ts';

/** Annotations that ask a controller of the cluster to fill in the caBundle: cert-manager's cainjector, OpenShift's service CA operator. */
const injectors = ['cert-manager.io/inject-ca-from', 'cert-manager.io/inject-ca-from-secret', 'service.beta.openshift.io/inject-cabundle'];

/** What the caBundle holds. Never checked by kube-apiserver when it is written (aggregation-layer validation.go). */
export const checkBundle: Check = (context) => {
  const { api } = context;
  if (!api.service || api.insecureSkipTLSVerify) return [];
  if (api.caBundle === '') return withoutBundle(context);
  const decoded = decodeBundle(api);
  const { items, certificates } = inspect(decoded);
  const key = items.find(({ kind }) => kind === 'private-key');
  const broken = items.flatMap((item) => (item.kind === 'broken' ? [`line ${item.line}: ${item.reason}`] : []));
  return [
    ...(key ? [observation('bundle/private-key', [`line ${key.line} of the decoded caBundle`])] : []),
    ...(certificates.length === 0
      ? [observation('bundle/unparsable', [`caBundle decodes to ${decoded.length} bytes without a PEM certificate`, ...broken])]
      : []),
  ];
};

/** A cluster shows whether the roots of kube-apiserver's machine are enough; in files nothing speaks for it. */
function withoutBundle({ api, words, source }: CheckContext): readonly Observation[] {
  const untrusted = words.find(({ fault }) => fault === 'unknown-authority');
  if (untrusted) return [observation('bundle/empty', [quote(untrusted)])];
  if (source === 'cluster' || injectors.some((annotation) => api.annotations[annotation] !== undefined)) return [];
  return [observation('bundle/empty', ['neither spec.caBundle nor an annotation that has it injected'])];
}

const decodeBundle = ({ caBundle }: ApiServiceView): Buffer => Buffer.from(caBundle, 'base64');

/** The certificates that kube-apiserver trusts for this API. */
export const trustedBy = (api: ApiServiceView): readonly CertificateInfo[] => inspect(decodeBundle(api)).certificates;
