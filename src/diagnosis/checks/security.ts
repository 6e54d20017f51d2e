import { type Check, observation, seen } from './check.ts';

/** Security risks of an API that works. */
export const checkSecurity: Check = ({ api, snapshot }) => {
  const { anonymous, forged, serviceProxy, requestHeader } = snapshot;
  const anonymousAnswers = [seen(anonymous), seen(serviceProxy)].filter((answer) => answer?.status === 200);
  // A server that accepts anonymous requests, or fails, does not show whether it trusts the
  // headers.
  const accepted = seen(forged)?.status === 200 && [401, 403].includes(seen(anonymous)?.status ?? 0);
  return [
    ...(api.insecureSkipTLSVerify ? [observation('security/insecure-skip-tls-verify', ['spec.insecureSkipTLSVerify: true'])] : []),
    ...(accepted
      ? [
          observation('security/forged-identity-accepted', [
            `GET ${seen(forged)?.path} with X-Remote-User, without a client certificate: 200`,
            `without X-Remote-User: ${seen(anonymous)?.status}`,
          ]),
        ]
      : []),
    ...(anonymousAnswers.length > 0
      ? [
          observation(
            'security/anonymous-access',
            anonymousAnswers.map((answer) => `GET ${answer?.path} without credentials: 200`),
          ),
        ]
      : []),
    ...(seen(requestHeader)?.holdsPrivateKey
      ? [observation('security/private-key-in-configmap', ['an entry of the ConfigMap contains a private key'])]
      : []),
  ];
};
