import { type Check, observation, seen } from './check.ts';

/** What works and puts the cluster at risk. */
export const checkSecurity: Check = ({ api, snapshot }) => {
  const { anonymous, forged, serviceProxy, requestHeader } = snapshot;
  const open = [seen(anonymous), seen(serviceProxy)].filter((answer) => answer?.status === 200);
  // A server that lets everybody in, or had trouble of its own a moment before, shows nothing of whom it believes.
  const believed = seen(forged)?.status === 200 && [401, 403].includes(seen(anonymous)?.status ?? 0);
  return [
    ...(api.insecureSkipTLSVerify ? [observation('security/insecure-skip-tls-verify', ['spec.insecureSkipTLSVerify: true'])] : []),
    ...(believed
      ? [
          observation('security/forged-identity-accepted', [
            `GET ${seen(forged)?.path} with X-Remote-User and no client certificate: 200`,
            `without X-Remote-User: ${seen(anonymous)?.status}`,
          ]),
        ]
      : []),
    ...(open.length > 0
      ? [
          observation(
            'security/anonymous-access',
            open.map((answer) => `GET ${answer?.path} without identity: 200`),
          ),
        ]
      : []),
    ...(seen(requestHeader)?.holdsPrivateKey
      ? [observation('security/private-key-in-configmap', ['one of its entries holds a private key'])]
      : []),
  ];
};
