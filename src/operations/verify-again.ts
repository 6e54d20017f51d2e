import type { KubeObject } from '../manifests/types.ts';
import { viewApiService } from '../snapshot/views.ts';

/**
 * Turns verification on again in an APIService that skips it: kube-apiserver does not accept a
 * caBundle there (kube-aggregator pkg/apis/apiregistration/validation). Elsewhere it drops the
 * field, so that `kubectl apply` would write it on every run.
 */
export const verifyAgain = (wanted: KubeObject, found: KubeObject | undefined): KubeObject =>
  found && viewApiService(found).insecureSkipTLSVerify
    ? { ...wanted, spec: { ...(wanted.spec as object), insecureSkipTLSVerify: false } }
    : wanted;
