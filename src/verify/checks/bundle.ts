import { inspect } from '../../pki/inspect.ts';
import type { CertificateInfo } from '../../pki/types.ts';
import type { ApiServiceView } from '../types.ts';
import { type Check, observation, quote } from './check.ts';

/** What the caBundle holds. Never checked by kube-apiserver when it is written (aggregation-layer validation.go). */
export const checkBundle: Check = ({ api, words }) => {
  if (!api.service || api.insecureSkipTLSVerify) return [];
  if (api.caBundle === '') {
    const untrusted = words.find(({ fault }) => fault === 'unknown-authority');
    return untrusted ? [observation('bundle/empty', [quote(untrusted)])] : [];
  }
  const { items, certificates } = inspect(decodeBundle(api));
  const key = items.find(({ kind }) => kind === 'private-key');
  const broken = items.flatMap((item) => (item.kind === 'broken' ? [`line ${item.line}: ${item.reason}`] : []));
  return [
    ...(key ? [observation('bundle/private-key', [`line ${key.line} of the decoded caBundle`])] : []),
    ...(certificates.length === 0
      ? [observation('bundle/unparsable', [`caBundle decodes to ${decodeBundle(api).length} bytes without a PEM certificate`, ...broken])]
      : []),
  ];
};

const decodeBundle = ({ caBundle }: ApiServiceView): Buffer => Buffer.from(caBundle, 'base64');

/** The certificates that kube-apiserver trusts for this API. */
export const trustedBy = (api: ApiServiceView): readonly CertificateInfo[] => inspect(decodeBundle(api)).certificates;
