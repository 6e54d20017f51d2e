/** What keeps pods from becoming endpoints. */
export const podTroubles = [
  'endpoints/pod-unschedulable',
  'endpoints/image-pull',
  'endpoints/pod-cannot-start',
  'endpoints/pod-crashing',
  'endpoints/node-not-ready',
  'endpoints/readiness-gate',
] as const;

/** Whatever keeps kube-apiserver from getting an answer of the server at all. */
export const anyTransportFault = ['service/*', 'endpoints/*', 'network/*', 'bundle/*', 'cert/*'] as const;

/** Whatever keeps the server from believing kube-apiserver, or from asking it who may do what. */
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

/** Whatever keeps kube-apiserver from an answer that it can use. */
export const anyAnswerFault = [
  ...anyTransportFault,
  ...anyIdentityFault,
  'discovery/not-found',
  'discovery/slow',
  'discovery/redirected',
  'discovery/server-error',
] as const;
