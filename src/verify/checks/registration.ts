import { type Check, observation, seen } from './check.ts';

/** The APIService object itself. */
export const checkRegistration: Check = ({ api }) =>
  api.insecureSkipTLSVerify ? [observation('security/insecure-skip-tls-verify', ['spec.insecureSkipTLSVerify: true'])] : [];

/** What the availability controller of kube-apiserver says (kube-aggregator pkg/controllers/status). */
export const checkAvailable: Check = ({ api, snapshot }) => {
  if (api.available?.status === 'True') return [];
  if (!api.available) {
    // A registration in a file has no status yet; one in a cluster always should.
    return seen(snapshot.aggregated) ? [observation('control-plane/no-condition')] : [];
  }
  const { status, reason, message, lastTransitionTime } = api.available;
  return [
    observation('control-plane/not-available', [`Available=${status} (${reason}) since ${lastTransitionTime}: ${message}`], { reason }),
  ];
};
