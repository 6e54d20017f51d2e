import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { rehearsalCommand } from '../../../../src/sandbox/node/rehearsal-command.ts';
import type { ContainerStart } from '../../../../src/sandbox/shared/program.ts';

const start: ContainerStart = {
  namespace: 'ns',
  pod: 'pod',
  name: 'server',
  command: [],
  args: [
    '--secure-port=8443',
    '--etcd-servers',
    'http://127.0.0.1:2379',
    '--tls-cert-file=/tmp/s/tls.crt',
    '--tls-private-key-file=/tmp/s/tls.key',
  ],
  env: { NAME: 'value' },
  kubeconfig: '/tmp/kubeconfig',
  mounts: {},
  port: 40_001,
  declaredPort: 8443,
  podAddress: '10.88.1.1',
  log: () => {},
};
const tls = { cert: '/tmp/s/tls.crt', key: '/tmp/s/tls.key' };
const kubeconfigs = [
  '--kubeconfig=/tmp/kubeconfig',
  '--authentication-kubeconfig=/tmp/kubeconfig',
  '--authorization-kubeconfig=/tmp/kubeconfig',
];
const commandOf = (command: readonly string[], change: Partial<ContainerStart> = {}): readonly string[] =>
  rehearsalCommand(command, { ...start, ...change }, tls).command;

describe('a command without placeholders', () => {
  test('gets the arguments of the container, the local port, and a kubeconfig', () => {
    const [port, ...rest] = start.args;
    expect(port).toBe('--secure-port=8443');
    expect(rehearsalCommand(['./server', 'serve'], start, tls)).toEqual({
      command: ['./server', 'serve', '--secure-port=40001', ...rest, ...kubeconfigs],
      env: {
        NAME: 'value',
        KUBECONFIG: '/tmp/kubeconfig',
        APISVC_PORT: '40001',
        APISVC_TLS_CERT_FILE: tls.cert,
        APISVC_TLS_PRIVATE_KEY_FILE: tls.key,
      },
      port: 40_001,
    });
  });

  test('listens only on loopback where pods are on loopback, unless it has --bind-address', () => {
    const podAddress = '127.0.0.1';
    expect(commandOf(['./server'], { podAddress })).toContain('--bind-address=127.0.0.1');
    expect(commandOf(['./server', '--bind-address', '::'], { podAddress }).filter((word) => word.includes('bind-address'))).toEqual([
      '--bind-address',
    ]);
    expect(commandOf(['./server'])).not.toContainEqual(expect.stringContaining('bind-address'));
  });

  test.each([['--etcd-servers=http://127.0.0.1:1'], ['--etcd-servers', 'http://127.0.0.1:1'], ['-etcd-servers=http://127.0.0.1:1']])(
    'keeps its own flag: %s %s',
    (...own: string[]) => {
      const command = commandOf(['./server', ...own]);
      expect(command.slice(0, own.length + 1)).toEqual(['./server', ...own]);
      expect(command.filter((word) => word.includes('2379') || word === '--etcd-servers')).toEqual(
        own.filter((word) => word === '--etcd-servers'),
      );
    },
  );

  test('listens on the port of its own --secure-port', () => {
    expect(rehearsalCommand(['./server', '--secure-port=9000'], start, tls).port).toBe(9000);
    expect(rehearsalCommand(['./server', '--secure-port', '9000'], start, tls).port).toBe(9000);
    // The operating system picks a port, which is unknown.
    expect(rehearsalCommand(['./server', '--secure-port=0'], start, tls).port).toBe(40_001);
  });

  test('has each kubeconfig flag once, whether the command or the container has it', () => {
    expect(commandOf(['./server', '--kubeconfig=/mine']).filter((word) => word.startsWith('--kubeconfig'))).toEqual(['--kubeconfig=/mine']);
    const args = ['--authentication-kubeconfig=/of-the-container'];
    expect(commandOf(['./server'], { args }).filter((word) => word.startsWith('--authentication-kubeconfig'))).toEqual(args);
  });

  test('gets the command of the container without its program', () => {
    expect(commandOf(['./server'], { command: ['/bin/server', 'serve'], args: ['--secure-port', '8443'] })).toEqual([
      './server',
      'serve',
      '--secure-port',
      '40001',
      ...kubeconfigs,
    ]);
  });

  test('begins with the command, whatever it contains', () => {
    const word = fc.string({ minLength: 1 }).filter((text) => !/\{/.test(text));
    fc.assert(
      fc.property(fc.array(word, { minLength: 1 }), (command) => {
        expect(commandOf(command).slice(0, command.length)).toEqual(command);
      }),
    );
  });
});

describe('a command with placeholders', () => {
  test('gets the placeholders replaced and nothing else', () => {
    const command = ['sh', '-c', 'serve {port} $PORT', '--k={kubeconfig}', '{tls-cert-file}:{tls-private-key-file}', '{other}'];
    expect(commandOf(command)).toEqual(['sh', '-c', 'serve 40001 $PORT', '--k=/tmp/kubeconfig', `${tls.cert}:${tls.key}`, '{other}']);
  });
});

test('the environment has no variables for a missing port and certificate', () => {
  const { env } = rehearsalCommand(['./server'], { ...start, port: undefined, args: [] }, undefined);
  expect(env).toEqual({ NAME: 'value', KUBECONFIG: '/tmp/kubeconfig' });
});
