import { setTimeout as sleep } from 'node:timers/promises';
import { getObject, listObjects, slicesOf } from '../cluster/objects.ts';
import { resources } from '../cluster/resources.ts';
import { serverNameOf } from '../config/registration.ts';
import { RefusedError } from '../errors.ts';
import { inspect } from '../pki/inspect.ts';
import { dialTargets, type Target } from '../verify/targets.ts';
import { viewEndpoints, viewService } from '../verify/views.ts';
import { describe, type Look, lookAtEndpoint, settle } from './endpoint-look.ts';
import { type Waiting, waitFor } from './wait.ts';

/** What every endpoint of a Service must serve. */
export interface ExpectedCertificate {
  readonly namespace: string;
  readonly service: string;
  /** Port of the Service. */
  readonly port: number;
  readonly caBundle: string;
  /** Name of the Deployment of the pods, where it is known. */
  readonly deployment: string | undefined;
}

const longestPauseMs = 2_000;

/** kubelet brings a new Secret to its pods within 60 to 90 seconds (syncFrequency, and half of it as jitter: pkg/kubelet/pod_workers.go); then servers read it within moments, or never. */
const reloadMs = 100_000;

/**
 * Waits until every ready endpoint serves a certificate that kube-apiserver will accept with this caBundle. There is nothing to watch on sockets, so they
 * are asked again and again, ever more slowly.
 * @returns the endpoints that can't be reached from here, which are not waited for: kube-apiserver may have a way to them that we have not
 * @throws RefusedError when a pod keeps another certificate for longer than it takes to bring it the new one; DeadlineError with what was seen last
 */
export async function waitForCertificates(waiting: Waiting, expected: ExpectedCertificate): Promise<readonly string[]> {
  const host = serverNameOf({ namespace: expected.namespace, name: expected.service });
  const start = performance.now();
  let elsewhere: readonly string[] = [];
  await waitFor(`every endpoint to serve a certificate for ${host} that the caBundle trusts`, waiting, async (saw) => {
    const wanted = { namespace: expected.namespace, serverName: host, roots: inspect(expected.caBundle).certificates };
    for (let attempt = 0; ; attempt++) {
      const targets = await readyTargets(waiting, expected);
      const looks = await Promise.all(targets.map((target) => lookAtEndpoint(waiting, { ...target, ...wanted })));
      const elapsedMs = performance.now() - start;
      const settled = settle(looks, elapsedMs);
      elsewhere = settled.filter(({ state }) => state === 'elsewhere').map(describe);
      const bad = settled.filter(({ state }) => state === 'bad' || state === 'other');
      if (bad.length === 0 && looks.length > 0) return;
      saw(bad.map(describe).join('; ') || `no endpoint is ready for port ${expected.port} of the Service`);
      const kept = bad.filter(({ state, pod }) => state === 'other' && pod !== undefined);
      if (kept.length > 0 && elapsedMs > reloadMs) throw keepsCertificate(expected, kept);
      const pauseMs = Math.min(100 * 2 ** attempt, longestPauseMs);
      await sleep(pauseMs, undefined, { signal: waiting.signal }).catch(() => waiting.signal.throwIfAborted());
    }
  });
  for (const each of elsewhere) waiting.onProgress({ kind: 'note', what: `going on without a look at the certificate of ${each}` });
  return elsewhere;
}

async function readyTargets({ cluster, signal }: Waiting, { namespace, service, port }: ExpectedCertificate): Promise<readonly Target[]> {
  const [object, found] = await Promise.all([
    getObject(cluster, { resource: resources.Service, namespace, name: service }, signal),
    listObjects(cluster, slicesOf({ namespace, name: service }), signal),
  ]);
  return object ? dialTargets(viewService(object), found.flatMap(viewEndpoints), port) : [];
}

function keepsCertificate({ namespace, service, deployment }: ExpectedCertificate, kept: readonly Look[]): RefusedError {
  const restart = deployment
    ? `kubectl -n ${namespace} rollout restart deployment/${deployment}`
    : `restart the pods of Service ${namespace}/${service}`;
  return new RefusedError(`after ${reloadMs / 1000}s a pod still serves another certificate: ${kept.map(describe).join('; ')}`, {
    fix: `If its server does not load a new certificate by itself: ${restart}. If it never had ours, check the flags for its certificate. Then run the same command again.`,
  });
}
