/** Problems that keep pods from becoming endpoints. */
export const podProblems = [
  'endpoints/pod-unschedulable',
  'endpoints/image-pull',
  'endpoints/pod-cannot-start',
  'endpoints/pod-crashing',
  'endpoints/node-not-ready',
  'endpoints/readiness-gate',
] as const;

/** Deletions that remove the endpoints of a Service. */
export const deletions = ['service/namespace-terminating', 'service/deleting'] as const;

/** Faults that keep kube-apiserver from getting any response. */
export const anyTransportFault = [
  'service/*',
  'endpoints/*',
  'network/*',
  'bundle/*',
  'cert-manager/*',
  'cert/*',
  'registration/outdated-annotation',
] as const;

/** Faults of authentication and authorization between kube-apiserver and the server. */
export const anyIdentityFault = [
  'auth/delegator-missing',
  'auth/reader-missing',
  'auth/requestheader-missing',
  'auth/front-proxy-ca-expired',
  'auth/client-name-not-allowed',
  'auth/proxy-certificate-refused',
  'auth/proxy-not-trusted',
  'auth/refused-by-server',
] as const;

/** Faults that keep kube-apiserver from getting a valid response. */
export const anyAnswerFault = [
  ...anyTransportFault,
  ...anyIdentityFault,
  'discovery/not-found',
  'discovery/slow',
  'discovery/no-answer',
  'discovery/stalled',
  'discovery/cut-off',
  'discovery/redirected',
  'discovery/server-error',
] as const;
