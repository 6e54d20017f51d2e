import { describe, expect, test } from 'vitest';
import type { ApiSnapshot, PodView, ServerView } from '../../../src/snapshot/types.ts';
import { everything } from './everything.ts';
import { faults } from './faults.ts';
import { absent, codes, diagnosed, endpoint, gone, readyPod, seen, service } from './snapshots.ts';

/** What the flags and mounts of a server prove. */

const view: ServerView = { pod: 'api-0', serviceAccount: 'api', flags: [], secrets: [], startedAt: undefined };

describe('the port that a server listens on', () => {
  const refused: Partial<ApiSnapshot> = { aggregated: gone, probes: faults['endpoints/connection-refused'].probes ?? absent };
  const listening = (...flags: readonly string[]): Partial<ApiSnapshot> => ({ server: seen({ ...view, flags }), secret: absent });
  const found = (change: Partial<ApiSnapshot>) => codes(diagnosed({ ...everything, ...refused, ...change }));
  const wrong = listening('--secure-port=6443');
  const crashing: PodView = {
    ...readyPod,
    ready: false,
    containers: readyPod.containers.map((each) => ({
      ...each,
      ready: false,
      restarts: 3,
      state: { kind: 'waiting', reason: 'CrashLoopBackOff', message: '' },
      before: { kind: 'ended', exitCode: 1, reason: 'Error', message: '' },
    })),
  };

  test('is the value of the last flag', () => {
    expect(found(listening('--secure-port=4443', '--secure-port=8443'))).not.toContain('service/wrong-target-port');
    expect(found(listening('--secure-port=8443', '--secure-port=4443'))).toContain('service/wrong-target-port');
  });

  test('is not the value of a flag with a longer or shorter name', () => {
    expect(found(listening('--port=4443', '--secure-port-x=4443'))).not.toContain('service/wrong-target-port');
  });

  test('does not matter while the pod crashes', () => {
    const crash = { ...wrong, pods: seen([crashing]), endpoints: seen([{ ...endpoint, ready: false }]), probes: seen([]) };
    expect(found(crash)[0]).toBe('endpoints/pod-crashing');
    expect(found(crash)).not.toContain('service/wrong-target-port');
  });

  test('matters if another pod does not crash', () => {
    expect(found({ ...wrong, pods: seen([crashing, { ...readyPod, name: 'api-1' }]) })[0]).toBe('service/wrong-target-port');
  });

  test('may explain a failing readiness probe', () => {
    const server = readyPod.containers.map((each) => ({ ...each, ready: false }));
    expect(found({ ...wrong, service: seen(service), pods: seen([{ ...readyPod, ready: false, containers: server }]) })[0]).toBe(
      'service/wrong-target-port',
    );
  });
});

describe('a missing Secret is identified', () => {
  const named = (flags: readonly string[], ...mounts: readonly (readonly [string, string])[]) => {
    const secrets = mounts.map(([name, mountPath]) => ({ name, mountPath, subPath: false }));
    const { findings } = diagnosed({ ...everything, secret: absent, server: seen({ ...view, flags, secrets }) });
    return findings.find(({ code }) => code === 'cert/secret-missing')?.evidence;
  };

  test('by the whole path of the mount', () => {
    expect(named(['--tls-cert-file=/etc/certs/tls.crt'], ['other', '/etc/cert'], ['api-tls', '/etc/certs'])).toEqual([
      'the pods mount the Secret api-tls',
    ]);
  });

  test('by a flag with another name', () => {
    const { findings } = diagnosed({ ...everything, secret: absent, server: seen({ ...view, certificateSecret: 'api-tls' }) });
    expect(findings.map(({ evidence }) => evidence)).toEqual([['the pods mount the Secret api-tls']]);
  });

  test('by the file, even if a directory is configured as well', () => {
    const flags = ['--cert-dir=/tmp', '--tls-cert-file=/certs/tls.crt'];
    expect(named(flags, ['other', '/tmp'], ['api-tls', '/certs'])).toEqual(['the pods mount the Secret api-tls']);
  });
});
