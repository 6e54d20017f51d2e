import { makeCa, pem } from '../harness/certificates.ts';
import { frontProxyCa } from '../harness/projects.ts';
import { failedWith, passed } from '../harness/registrations.ts';
import { asReader } from './expect-findings.ts';
import { describePods, type PodBench, type PodChange, type PodFault } from './pods.ts';

/** The permissions that a real server needs for delegated authentication and authorization. */

const missingEndpoints = /^False MissingEndpoints/;

/**
 * Configures the front proxy of a server by flags, instead of the published ConfigMap.
 * @param ca PEM
 */
function frontProxy(name: string, { namespace }: PodBench, ca: string, ...flags: readonly string[]): PodChange {
  const configMap = `${name}-front-proxy`;
  return {
    flags: ['--requestheader-client-ca-file=/front-proxy/ca.crt', ...flags],
    objects: [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: configMap, namespace }, data: { 'ca.crt': ca } }],
    mounts: [{ name: 'front-proxy', mountPath: '/front-proxy' }],
    volumes: [{ name: 'front-proxy', configMap: { name: configMap } }],
  };
}

const faults: readonly PodFault[] = [
  {
    name: 'no-delegator',
    how: 'the ServiceAccount of the server is not bound to system:auth-delegator',
    codes: ['auth/delegator-missing'],
    condition: passed,
    change: () => ({ without: ['delegator'] }),
  },
  {
    name: 'no-delegator-for-jane',
    how: 'the ServiceAccount of the server is not bound to system:auth-delegator, and verify also sends a request as an ordinary user',
    codes: ['auth/delegator-missing'],
    condition: passed,
    change: () => ({ without: ['delegator'] }),
    options: asReader,
  },
  {
    name: 'no-reader',
    how: 'the ServiceAccount of the server is not bound to extension-apiserver-authentication-reader',
    codes: ['auth/reader-missing'],
    condition: missingEndpoints,
    change: () => ({ without: ['reader'] }),
  },
  {
    name: 'no-reader-tolerated',
    how: 'the ServiceAccount of the server is not bound to extension-apiserver-authentication-reader, and the server runs with --authentication-tolerate-lookup-failure',
    codes: ['auth/reader-missing'],
    condition: failedWith('40[13]'),
    change: () => ({ without: ['reader'], flags: ['--authentication-tolerate-lookup-failure'] }),
  },
  {
    name: 'other-client-name',
    how: "the server does not allow the common name of kube-apiserver's client certificate",
    codes: ['auth/client-name-not-allowed'],
    condition: failedWith('40[13]'),
    change: async (name, bench) => frontProxy(name, bench, await frontProxyCa(), '--requestheader-allowed-names=another-client'),
  },
  {
    name: 'other-front-proxy',
    how: 'the server trusts a different front-proxy CA than that of kube-apiserver',
    codes: ['auth/proxy-not-trusted'],
    condition: failedWith('40[13]'),
    change: async (name, bench) => frontProxy(name, bench, pem(await makeCa('another front proxy CA'))),
  },
];

describePods('delegation', faults);
