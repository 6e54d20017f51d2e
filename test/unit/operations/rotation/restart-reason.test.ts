import { describe, expect, test } from 'vitest';
import type { KubeObject } from '../../../../src/manifests/types.ts';
import { restartReason, whyFixed } from '../../../../src/operations/rotation/restart-reason.ts';
import { reloadMs } from '../../../../src/operations/served.ts';

const pod = (container: object, volumes: readonly object[] = [{ name: 'certs', secret: { secretName: 'api-tls' } }]): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'api-0' },
  spec: { volumes, containers: [container] },
});
const mount = (more: object) => ({ volumeMounts: [{ name: 'certs', mountPath: '/certs', ...more }] });

describe('the files of a pod do not follow its Secret', () => {
  test.each([
    ['with subPath', mount({ subPath: 'tls.crt' }), 'it mounts Secret api-tls with subPath'],
    [
      'in a variable',
      { env: [{ name: 'CERT', valueFrom: { secretKeyRef: { name: 'api-tls', key: 'tls.crt' } } }] },
      'it reads Secret api-tls into environment variables',
    ],
    ['in all variables', { envFrom: [{ secretRef: { name: 'api-tls' } }] }, 'it reads Secret api-tls into environment variables'],
  ])('%s', (_, container, why) => {
    expect(whyFixed(pod(container), 'api-tls')).toBe(why);
    expect(whyFixed(pod(container), 'another')).toBeUndefined();
  });

  test('but they follow in a directory', () => {
    expect(whyFixed(pod(mount({})), 'api-tls')).toBeUndefined();
  });
});

describe('a pod is restarted', () => {
  test('at once where its files do not follow', () => {
    expect(restartReason({ mode: 'auto', fixed: 'it mounts', elapsedMs: 0 })).toBe('it mounts');
  });

  test('after kubelet and server had time to reload', () => {
    expect(restartReason({ mode: 'auto', fixed: undefined, elapsedMs: reloadMs })).toBeUndefined();
    expect(restartReason({ mode: 'auto', fixed: undefined, elapsedMs: reloadMs + 1 })).toBe(
      'it still serves another certificate after 100s',
    );
    expect(restartReason({ mode: 'never', fixed: undefined, elapsedMs: reloadMs + 1 })).toBe(
      'it still serves another certificate after 100s',
    );
  });

  test('at once with --restart=always', () => {
    expect(restartReason({ mode: 'always', fixed: undefined, elapsedMs: 0 })).toBe('--restart=always');
  });
});
