import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { KubeObject } from '../../../src/manifests/types.ts';
import { certificateSource, chooseServer, flagsOf, viewServer } from '../../../src/verify/server-view.ts';

/** What is read of a pod's arguments and mounts. */

const podOf = (container: object, volumes: readonly object[] = [], more: object = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'api-0', namespace: 'wardle' },
  spec: { containers: [{ name: 'server', ...container }], volumes, ...more },
  status: {
    startTime: '2026-06-15T10:00:00Z',
    containerStatuses: [{ name: 'server', state: { running: { startedAt: '2026-06-15T11:00:00Z' } } }],
  },
});
const mounted = (mount: object, flags: readonly string[], volume: object = { secret: { secretName: 'api-tls' } }): KubeObject =>
  podOf({ args: flags, volumeMounts: [{ name: 'certs', mountPath: '/certs', ...mount }] }, [{ name: 'certs', ...volume }]);

describe('flags', () => {
  test.each<[string, readonly string[], readonly string[]]>([
    ['one argument', ['--secure-port=8443'], ['--secure-port=8443']],
    ['two arguments', ['--secure-port', '8443', 'x'], ['--secure-port=8443']],
    ['a single dash', ['-tls-cert-file=/a'], ['--tls-cert-file=/a']],
    ['the line of a shell', ['-c', "exec server --cert-dir '/a' --v=2"], ['--cert-dir=/a']],
    ['a switch takes no word after it', ['--authentication-skip-lookup', 'hunter2'], ['--authentication-skip-lookup']],
    ['a flag without its value', ['--tls-cert-file', '--v=2'], []],
  ])('%s', (_, args, flags) => {
    expect(flagsOf(podOf({ args }))).toEqual(flags);
    expect(flagsOf(podOf({ command: args }))).toEqual(flags);
  });

  test('all others are nobody’s business', () => {
    const name = fc.stringMatching(/^[a-z-]{1,20}$/);
    const property = fc.property(
      fc.array(fc.tuple(fc.constantFrom('--', '-', ''), name, fc.constantFrom('=', ' ')), { maxLength: 5 }),
      (given) => {
        const args = given.map(([dash, flag, sign]) => `${dash}password-${flag}${sign}hunter2`);
        expect(flagsOf(podOf({ args: [...args, '--tls-cert-file=/a'] }))).toEqual(['--tls-cert-file=/a']);
      },
    );
    fc.assert(property);
  });
});

describe('the Secret of the certificate', () => {
  const source = (certificateEntry: string, keyEntry: string) => ({ secret: 'api-tls', certificateEntry, keyEntry });
  const usual = source('tls.crt', 'tls.key');

  test.each<[string, KubeObject, object | undefined]>([
    ['a file of it', mounted({}, ['--tls-cert-file=/certs/tls.crt', '--tls-private-key-file=/certs/tls.key']), usual],
    [
      'a file of another name',
      mounted({}, ['--tls-cert-file=/certs/server.pem', '--tls-private-key-file=/certs/server.key']),
      source('server.pem', 'server.key'),
    ],
    ['a subPath', mounted({ mountPath: '/etc/s.crt', subPath: 'tls.crt' }, ['--tls-cert-file=/etc/s.crt']), usual],
    ['a folder that the server searches', mounted({}, ['--cert-dir=/certs/']), source('apiserver.crt', 'apiserver.key')],
    [
      'an entry under another name',
      mounted({}, ['--cert-dir=/certs'], { secret: { secretName: 'api-tls', items: [{ key: 'tls.crt', path: 'apiserver.crt' }] } }),
      usual,
    ],
    [
      'a part of a projected volume',
      mounted({}, ['--tls-cert-file=/certs/tls.crt'], { projected: { sources: [{ secret: { name: 'api-tls' } }] } }),
      usual,
    ],
    ['no flag', mounted({}, []), undefined],
    ['a file elsewhere', mounted({}, ['--tls-cert-file=/certsx/tls.crt']), undefined],
    ['a volume that is no Secret', mounted({}, ['--tls-cert-file=/certs/tls.crt'], { emptyDir: {} }), undefined],
  ])('%s', (_, pod, expected) => {
    expect(certificateSource(pod)).toEqual(expected);
  });
});

test('the view has the mounts, and when the server was started', () => {
  const pod = mounted({ mountPath: '/etc/s.crt', subPath: 'tls.crt' }, ['--secure-port=1']);
  expect(viewServer(pod)).toEqual({
    pod: 'api-0',
    serviceAccount: 'default',
    flags: ['--secure-port=1'],
    secrets: [{ name: 'api-tls', mountPath: '/etc/s.crt', subPath: true }],
    startedAt: '2026-06-15T11:00:00Z',
  });
});

test('a pod that no kubelet has taken up was never started', () => {
  expect(
    viewServer({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'api-0' }, status: { phase: 'Pending' } }).startedAt,
  ).toBeUndefined();
});

test('a pod that is ready is looked at first, one that leaves last', () => {
  const named = (name: string, status: object, metadata: object = {}): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, ...metadata },
    status,
  });
  const ready = { conditions: [{ type: 'Ready', status: 'True' }], phase: 'Running' };
  const [leaving, pending, running, good] = [
    named('leaving', ready, { deletionTimestamp: 'x' }),
    named('pending', { phase: 'Pending' }),
    named('running', { phase: 'Running' }),
    named('good', ready),
  ];
  expect(chooseServer([leaving, pending, running, good])).toBe(good);
  expect(chooseServer([leaving, pending, running])).toBe(running);
  expect(chooseServer([leaving, pending])).toBe(pending);
  expect(chooseServer([])).toBeUndefined();
});
