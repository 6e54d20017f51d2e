import { expect, onTestFinished, test, vi } from 'vitest';
import { collectContext } from '../../../../src/snapshot/collect/context.ts';
import { probeEndpoints } from '../../../../src/snapshot/collect/probe.ts';
import { answer, clusterOf, never, status } from '../../cluster/kube-api.ts';

test('the endpoints of a large Service are probed 16 at a time, and returned in order', async () => {
  // On a busy host a handshake may last so long that it counts as slow and makes room for another.
  const later = setTimeout;
  vi.useFakeTimers({ toFake: ['setTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  let [open, most] = [0, 0];
  const cluster = await clusterOf((_, response) => {
    most = Math.max(most, ++open);
    later(() => {
      open--;
      answer(response, 403, status(403, 'Forbidden', 'no'));
    }, 50);
  });
  // Linux never has a route for a TCP connection to a multicast address.
  const targets = Array.from({ length: 40 }, (_, index) => ({ pod: `api-${index}`, address: '224.0.0.1', port: 443 }));
  const probes = await probeEndpoints(collectContext(cluster, never), { namespace: 'wardle', name: 'api' }, targets);
  expect(probes.map(({ pod }) => pod)).toEqual(targets.map(({ pod }) => pod));
  expect(probes.map(({ handshake }) => /pod wardle\/(\S+):/.exec(handshake.kind === 'failed' ? handshake.words : '')?.[1])).toEqual(
    targets.map(({ pod }) => pod),
  );
  expect(most).toBe(16);
});
