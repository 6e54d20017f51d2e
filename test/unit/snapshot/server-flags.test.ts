import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { certificateFiles, flagsOf, flagValue } from '../../../src/snapshot/server-flags.ts';

/** The flags in the command and arguments of a container. */

describe('flags', () => {
  test.each<[string, readonly string[], readonly string[]]>([
    ['one argument', ['--secure-port=8443'], ['--secure-port=8443']],
    ['two arguments', ['--secure-port', '8443', 'x'], ['--secure-port=8443']],
    ['a single dash', ['-tls-cert-file=/a'], ['--tls-cert-file=/a']],
    ['the line of a shell', ['-c', "exec server --cert-dir '/a' --v=2"], ['--cert-dir=/a']],
    ['a switch takes no word after it', ['--authentication-skip-lookup', 'hunter2'], ['--authentication-skip-lookup']],
    ['underscores', ['--tls_cert_file=/a_b'], ['--tls-cert-file=/a_b']],
    ['a flag without its value', ['--tls-cert-file', '--v=2'], []],
  ])('%s', (_, args, flags) => {
    expect(flagsOf({ args })).toEqual(flags);
    expect(flagsOf({ command: args })).toEqual(flags);
  });

  test.each(['--bind-address=0.0.0.0', '--kubeconfig=/a', '--anonymous-auth=true', '--tls-min-version=VersionTLS13'])(
    'is not kept, since no check reads it: %s',
    (flag) => {
      expect(flagsOf({ args: [flag, '--secure-port=1'] })).toEqual(['--secure-port=1']);
    },
  );

  test('variables are expanded as the kubelet does', () => {
    const env = [
      { name: 'PORT', value: '8443' },
      { name: 'PKI', valueFrom: {} },
    ];
    expect(flagsOf({ args: ['--secure-port=$(PORT)', '--cert-dir=$(PKI)'], env })).toEqual(['--secure-port=8443', '--cert-dir=$(PKI)']);
    expect(flagsOf({ args: ['--cert-dir=$$(PORT)'], env })).toEqual(['--cert-dir=$$(PORT)']);
  });

  test('the last one wins', () => {
    expect(flagValue(['--secure-port=4443', '--secure-port=8443', '--secure-port-x=1'], 'secure-port')).toBe('8443');
  });

  test('no other flag is kept', () => {
    const name = fc.stringMatching(/^[a-z-]{1,20}$/);
    const property = fc.property(
      fc.array(fc.tuple(fc.constantFrom('--', '-', ''), name, fc.constantFrom('=', ' ')), { maxLength: 5 }),
      (given) => {
        const args = given.map(([dash, flag, sign]) => `${dash}password-${flag}${sign}hunter2`);
        expect(flagsOf({ args: [...args, '--tls-cert-file=/a'] })).toEqual(['--tls-cert-file=/a']);
      },
    );
    fc.assert(property);
  });
});

test.each<[string, readonly string[], object]>([
  ['those that are named', ['--cert-dir=/x', '--tls-cert-file=/a', '--tls-private-key-file=/b'], { certificate: '/a', key: '/b' }],
  ['no pair of the folder where one is named', ['--cert-dir=/x', '--tls-cert-file=/a'], { certificate: '/a', key: undefined }],
  ['a pair of the folder', ['--cert-dir=/x/'], { certificate: '/x/apiserver.crt', key: '/x/apiserver.key' }],
  ['none', ['--secure-port=1'], { certificate: undefined, key: undefined }],
])('files of the certificate: %s', (_, flags, expected) => {
  expect(certificateFiles(flags)).toEqual(expected);
});
