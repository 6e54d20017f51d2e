import { inspect } from '../pki/inspect.ts';
import type { CertificateInfo, Inspection } from '../pki/types.ts';
import type { ApiServiceView } from './types.ts';

/** The bytes of `spec.caBundle`: PEM, where the bundle is valid. */
export const decodeBundle = ({ caBundle }: Pick<ApiServiceView, 'caBundle'>): Buffer => Buffer.from(caBundle, 'base64');

/** What kube-apiserver finds in the caBundle of an APIService, and what it skips. */
export const inspectBundle = (api: Pick<ApiServiceView, 'caBundle'>): Inspection => inspect(decodeBundle(api));

/** The certificates that kube-apiserver trusts for an APIService. */
export const trustedBy = (api: Pick<ApiServiceView, 'caBundle'>): readonly CertificateInfo[] => inspectBundle(api).certificates;
