import { makeCa, pair } from '../harness/certificates.ts';
import { passed } from '../harness/registrations.ts';
import { failedTls } from './hand-made.ts';
import { certificateFolder, describePods, type PodBench, type PodFault, tlsEntries } from './pods.ts';

/** Faults of the Secret with the serving certificate of a real pod. */

const missingEndpoints = /^False MissingEndpoints/;

/** Renews the certificate in the Secret of a running pod. */
async function renew(name: string, bench: PodBench): Promise<void> {
  await bench.ready(name);
  const stringData = tlsEntries(await bench.pairFor(name));
  await bench.kubectl(['apply', '-f', '-'], {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace: bench.namespace },
    stringData,
  });
}

/** Mounts each file with subPath, as some Helm charts do. */
const bySubPath = {
  mounts: ['tls.crt', 'tls.key'].map((file) => ({ name: 'certificates', mountPath: `/etc/serving/${file}`, subPath: file })),
  certificateFlags: ['--tls-cert-file=/etc/serving/tls.crt', '--tls-private-key-file=/etc/serving/tls.key'],
};

/**
 * Mounts the Secret where a server without flags looks for its pair, relative to its directory
 * (k8s.io/apiserver/pkg/server/options/serving.go, NewSecureServingOptions).
 */
const atDefaultPath = (secretName: string) => ({
  certificateFlags: [],
  container: { workingDir: '/' },
  mounts: [{ name: 'pair', mountPath: '/apiserver.local.config/certificates' }],
  volumes: [
    {
      name: 'pair',
      secret: { secretName, items: ['crt', 'key'].map((kind) => ({ key: `tls.${kind}`, path: `apiserver.${kind}` })) },
    },
  ],
});

const faults: readonly PodFault[] = [
  {
    name: 'no-certificate-flags',
    how: 'the server has no flags for its certificate',
    codes: ['cert/self-generated'],
    condition: failedTls('x509: certificate'),
    change: () => ({ certificateFlags: [] }),
  },
  {
    name: 'secret-deleted',
    how: 'the Secret was deleted while the server was running',
    codes: ['cert/secret-missing'],
    condition: passed,
    afterCreate: async (name, bench) => {
      await bench.ready(name);
      await bench.kubectl(['delete', 'secret', name]);
    },
  },
  {
    name: 'secret-never-made',
    how: 'the Secret that the pod mounts does not exist',
    codes: ['cert/secret-missing'],
    condition: missingEndpoints,
    change: () => ({ without: ['secret'] }),
  },
  {
    name: 'secret-without-certificate',
    how: 'tls.crt in the Secret contains no certificate',
    codes: ['cert/secret-unreadable'],
    condition: missingEndpoints,
    change: async (name, bench) => ({ secret: { ...tlsEntries(await bench.pairFor(name)), 'tls.crt': 'soon to come' } }),
  },
  {
    name: 'other-key',
    how: 'tls.key in the Secret belongs to a different certificate',
    codes: ['security/key-mismatch'],
    condition: missingEndpoints,
    change: async (name, bench) => {
      const { certificates } = await bench.pairFor(name);
      return { secret: tlsEntries({ certificates, key: pair(await makeCa('another')).key }) };
    },
  },
  {
    name: 'ca-key-too',
    how: 'the Secret also contains the private key of the CA',
    codes: ['security/ca-key-in-secret'],
    condition: passed,
    change: async (name, bench) => ({ secret: { ...tlsEntries(await bench.pairFor(name)), 'ca.key': pair(bench.ca).key } }),
  },
  {
    name: 'sub-path',
    how: 'the pod mounts the Secret with subPath',
    codes: ['cert/sub-path-mount'],
    condition: passed,
    change: () => bySubPath,
  },
  {
    name: 'sub-path-renewed',
    how: 'the pod mounts the Secret with subPath, and the certificate in the Secret was renewed',
    codes: ['cert/sub-path-mount'],
    condition: passed,
    text: /Pod sub-path-renewed mounts/,
    change: () => bySubPath,
    afterCreate: renew,
  },
  {
    name: 'renewed-secret',
    how: 'the certificate in the Secret was renewed, but the server does not reload it',
    codes: ['cert/secret-differs'],
    condition: passed,
    change: () => ({ flags: ['--certificate-once'] }),
    afterCreate: renew,
  },
  {
    name: 'not-restarted',
    how: 'the certificate in the Secret was replaced by one from the CA in the caBundle, but the server does not reload it',
    codes: ['cert/secret-differs'],
    condition: failedTls('x509: certificate signed by unknown authority'),
    change: async (name, bench) => ({
      flags: ['--certificate-once'],
      secret: tlsEntries(await bench.pairFor(name, await makeCa('the former CA'))),
    }),
    afterCreate: renew,
  },
  {
    name: 'reloaded',
    how: 'nothing: the certificate in the Secret was renewed, and the server reloaded it',
    codes: [],
    condition: passed,
    afterCreate: renew,
  },
  {
    name: 'default-path',
    how: 'nothing: the server has no flags, and finds its certificate at the default path',
    codes: [],
    condition: passed,
    change: atDefaultPath,
  },
  {
    name: 'default-path-renewed',
    how: 'the server has no flags, and does not reload the certificate that was renewed in its Secret',
    codes: ['cert/secret-differs'],
    condition: passed,
    change: (name) => ({ ...atDefaultPath(name), flags: ['--certificate-once'] }),
    afterCreate: renew,
  },
  {
    name: 'default-path-other-key',
    how: 'the server has no flags, and tls.key in its Secret belongs to a different certificate',
    codes: ['security/key-mismatch'],
    condition: missingEndpoints,
    change: async (name, bench) => {
      const { certificates } = await bench.pairFor(name);
      return { ...atDefaultPath(name), secret: tlsEntries({ certificates, key: pair(await makeCa('another')).key }) };
    },
  },
  {
    name: 'server-name-only',
    how: 'nothing: the server serves a valid certificate only to clients that send its server name (SNI)',
    codes: [],
    condition: passed,
    change: async (_, bench) => ({
      certificateFlags: ['--tls-cert-file=/others/tls.crt', '--tls-private-key-file=/others/tls.key'],
      flags: [`--tls-sni-cert-key=${certificateFolder}/tls.crt,${certificateFolder}/tls.key`],
      mounts: [{ name: 'others', mountPath: '/others' }],
      volumes: [{ name: 'others', secret: { secretName: 'others' } }],
      objects: [
        {
          apiVersion: 'v1',
          kind: 'Secret',
          metadata: { name: 'others', namespace: bench.namespace },
          stringData: tlsEntries(await bench.pairFor('others')),
        },
      ],
    }),
  },
  {
    name: 'underscores',
    how: 'the flags of the server contain underscores, and the pod mounts the Secret with subPath',
    codes: ['cert/sub-path-mount'],
    condition: passed,
    change: () => ({ ...bySubPath, certificateFlags: bySubPath.certificateFlags.map((flag) => flag.replaceAll(/(?<=[a-z])-/g, '_')) }),
  },
  {
    name: 'two-secrets',
    how: 'the server has no flags for its certificate, and mounts two Secrets that contain a certificate',
    codes: ['cert/self-generated'],
    notChecked: ['the Secret with the serving certificate'],
    condition: failedTls('x509: certificate'),
    change: async (name, bench) => ({
      certificateFlags: [],
      mounts: [{ name: 'second', mountPath: '/second' }],
      volumes: [{ name: 'second', secret: { secretName: 'second' } }],
      objects: [
        {
          apiVersion: 'v1',
          kind: 'Secret',
          metadata: { name: 'second', namespace: bench.namespace },
          stringData: tlsEntries(await bench.pairFor(name)),
        },
      ],
    }),
  },
];

describePods('secrets', faults);
