import { expect, test } from 'vitest';
import type { SecretMount } from '../../../src/snapshot/secret-mounts.ts';
import { namedFiles } from '../../../src/snapshot/serving-files.ts';

/** The flags and variables that name a file of a mounted Secret as the serving certificate. */

const mounts: readonly SecretMount[] = [
  { name: 'api-tls', mountPath: '/certs', subPath: undefined, items: undefined },
  { name: 'other', mountPath: '/other', subPath: undefined, items: new Map([['a.crt', 'b.crt']]) },
];
const certificate = (entry?: string, secret = 'api-tls') => ({ secret, entry, role: 'certificate' });
const key = (entry: string) => ({ secret: 'api-tls', entry, role: 'key' });

test.each<[string, object, readonly object[]]>([
  [
    '--cert and --key',
    { args: ['--cert=/certs/server.crt', '--key', '/certs/server.key'] },
    [certificate('server.crt'), key('server.key')],
  ],
  ['--tls-cert', { command: ['server', '-tls-cert', '/certs/a.pem'] }, [certificate('a.pem')]],
  ['--tlsCertFile, as a Java or Node program has it', { args: ['--tlsCertFile=/certs/tls.crt'] }, [certificate('tls.crt')]],
  ['a directory', { args: ['--cert-path=/certs/'] }, [certificate()]],
  ['a renamed entry', { args: ['--serving-certificate=/other/a.crt'] }, [certificate('b.crt', 'other')]],
  ['a variable', { env: [{ name: 'TLS_CERT_FILE', value: '/certs/tls.crt' }] }, [certificate('tls.crt')]],
  [
    'a variable in an argument',
    { args: ['--server-cert=$(PKI)/tls.crt'], env: [{ name: 'PKI', value: '/certs' }] },
    [certificate('tls.crt')],
  ],
  ['the line of a shell', { command: ['sh', '-c', 'exec server --ssl-cert /certs/tls.crt'] }, [certificate('tls.crt')]],
  [
    'certificates that the server does not serve',
    {
      args: ['client-cert', 'etcd-certfile', 'tls-ca-file', 'webhook-cert-dir', 'proxy-server-cert', 'ca', 'root-certs'].map(
        (name) => `--${name}=/certs/tls.crt`,
      ),
    },
    [],
  ],
  ['a flag with another meaning', { args: ['--config=/certs/tls.crt', '--v', '/certs/tls.crt'] }, []],
  ['a file that is in no Secret', { args: ['--cert=/etc/ssl/tls.crt', '--cert-dir=/'] }, []],
  ['a variable without a value in the manifest', { env: [{ name: 'TLS_CERT_FILE', valueFrom: {} }] }, []],
])('%s', (_, container, expected) => {
  expect(namedFiles(container, mounts)).toEqual(expected);
});
