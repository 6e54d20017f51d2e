import { expect } from 'vitest';
import { day } from '../../unit/pki/certificates.ts';
import { kubectl } from '../harness/commands.ts';
import { describeControlPlane } from './control-plane.ts';
import { frontProxy } from './front-proxy.ts';
import { registerSampleApiserver } from './sample-apiserver.ts';

/**
 * The client certificate of kube-apiserver, and the CA that it publishes. The server is the real
 * sample-apiserver.
 */

const withoutFrontProxy = ['--requestheader-client-ca-file=', '--proxy-client-cert-file=', '--proxy-client-key-file='];

describeControlPlane('no front-proxy CA', { apiserver: async () => ({ flags: withoutFrontProxy }) }, [
  {
    name: 'no-requestheader',
    how: 'kube-apiserver has neither --requestheader-client-ca-file nor a client certificate for extension API servers',
    codes: ['auth/requestheader-missing'],
    make: registerSampleApiserver,
    evidence: /requestheader-client-ca-file is missing/,
  },
]);

/**
 * kube-apiserver removes a CA from the ConfigMap five minutes after it expires
 * (clusterauthenticationtrust, filterExpiredCerts).
 */
const justExpired = () => ({ notBefore: new Date(Date.now() - day), notAfter: new Date(Date.now() - 60_000) });

describeControlPlane('a front-proxy CA that has just expired', { apiserver: (place) => frontProxy(place, { ca: justExpired() }) }, [
  {
    name: 'expired-front-proxy-ca',
    how: 'the front-proxy CA expired a moment ago',
    codes: ['auth/front-proxy-ca-expired'],
    make: registerSampleApiserver,
    evidence: /expired at/,
  },
]);

describeControlPlane(
  'a front proxy CA that ended long ago',
  { apiserver: (place) => frontProxy(place, { ca: { notAfter: new Date(Date.now() - day), notBefore: new Date(Date.now() - 2 * day) } }) },
  [
    {
      name: 'bygone-front-proxy-ca',
      how: 'the front-proxy CA expired yesterday, so kube-apiserver no longer publishes it',
      codes: ['auth/requestheader-missing'],
      make: registerSampleApiserver,
      evidence: /requestheader-client-ca-file is missing/,
    },
  ],
);

describeControlPlane(
  'a front-proxy CA that expires soon',
  { apiserver: (place) => frontProxy(place, { ca: { notAfter: new Date(Date.now() + 10 * day) } }) },
  [
    {
      name: 'ending-front-proxy-ca',
      how: 'the front-proxy CA expires in 10 days',
      codes: ['auth/front-proxy-ca-expires-soon'],
      make: registerSampleApiserver,
      evidence: /expires at/,
    },
  ],
);

describeControlPlane(
  'a front-proxy certificate with another name',
  { apiserver: (place) => frontProxy(place, { commonName: 'aggregator' }) },
  [
    {
      name: 'wrong-proxy-name',
      how: "the common name of kube-apiserver's client certificate is not in --requestheader-allowed-names",
      // Only kube-apiserver and the log of the server know the name.
      codes: ['auth/proxy-not-trusted'],
      make: registerSampleApiserver,
      evidence: /bad status from .*: 401/,
    },
  ],
);

/**
 * kube-apiserver publishes only certificates, and reverts other changes unless the ConfigMap is
 * immutable.
 */
describeControlPlane('a ConfigMap written by hand', {}, [
  {
    name: 'published-key',
    how: 'ConfigMap kube-system/extension-apiserver-authentication contains a private key, and is immutable',
    codes: ['security/private-key-in-configmap'],
    make: async ({ kubeconfig, ca, register }) => {
      const key = ca.keyPair.privateKey.export({ type: 'pkcs8', format: 'pem' });
      const patch = JSON.stringify({ immutable: true, data: { 'ca.key': key } });
      const args = [
        'patch',
        'configmap',
        'extension-apiserver-authentication',
        '--namespace=kube-system',
        '--type=merge',
        `--patch=${patch}`,
      ];
      expect(await kubectl(args, { kubeconfig })).toMatchObject({ exitCode: 0 });
      return register('published-key');
    },
    evidence: /private key/,
  },
]);
