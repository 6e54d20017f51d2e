import { resources, subresources } from '../../cluster/resources.ts';
import type { Need } from '../../cluster/status.ts';
import type { Guard } from '../rotation/guard.ts';
import { anyApiService, hasSecret } from '../rotation/live.ts';
import { type LookAtAll, progressOf } from '../rotation/look.ts';
import { type Moment, moment } from '../rotation/moment.ts';
import { nudgePods } from '../rotation/nudge.ts';
import { type Rotation, serviceOf, wordsOf } from '../rotation/rotation.ts';
import type { Step } from '../runner.ts';
import { podCommands, poll, waitFor } from '../wait.ts';
import type { Restarts } from './restarts.ts';

/**
 * Waits until every pod and endpoint serves exactly the certificate. Restarts pods that need it.
 */
export function servedStep(rotation: Rotation, look: LookAtAll, guard: Guard, restarts: Restarts): Step {
  const { restart, nudge, onProgress, files } = rotation;
  const which = wordsOf(rotation).to;
  return {
    id: 'endpoints',
    title: `Waiting until every endpoint serves the ${which} certificate`,
    needs: () => servedNeeds(rotation),
    observe: async () => ({ state: restart !== 'always' && (await look()).complete ? 'done' : 'pending' }),
    async run() {
      if (!hasSecret(rotation)) {
        onProgress({ kind: 'note', what: `the server is outside the cluster; install ${files.certificate} and ${files.key} on it` });
      }
      if (nudge) await nudgePods(rotation, (await look()).pods);
      if (restart === 'always') await restarts.restartAll((await look()).pods);
      await untilServed(rotation, look, guard, restarts);
    },
  };
}

/**
 * Waits until one look at everything finds the certificate.
 * @returns when that look began
 * @throws as `guard`; DeadlineError
 */
export async function untilServed(rotation: Rotation, look: LookAtAll, guard: Guard, restarts: Restarts): Promise<Moment> {
  const start = performance.now();
  const what = `every pod and endpoint to serve the certificate with SHA-256 ${rotation.to.leaf}`;
  return waitFor(what, podCommands(serviceOf(rotation).namespace), rotation, (report) =>
    poll({ signal: rotation.signal, report }, async () => {
      const since = moment();
      await guard();
      const seen = await look();
      const rollingOut = restarts.isRollingOut();
      if (seen.complete && !rollingOut) return since;
      report(progressOf(seen));
      await restarts.consider(seen, performance.now() - start);
      return undefined;
    }),
  );
}

/** The permissions to look at all caBundles and everything that serves, and to restart it. */
export function servedNeeds(options: Pick<Rotation, 'registration' | 'nudge' | 'restart'>): readonly Need[] {
  const { namespace, name } = serviceOf(options);
  const all = (resource: (typeof resources)[keyof typeof resources]) => ({ resource, namespace, name: '*' });
  const endpoints = [
    { verb: 'list', ref: anyApiService },
    { verb: 'get', ref: { resource: resources.Service, namespace, name } },
    { verb: 'list', ref: all(resources.EndpointSlice) },
  ];
  if (!hasSecret(options)) return endpoints;
  return [
    ...endpoints,
    { verb: 'list', ref: all(resources.Pod) },
    ...['get', 'create'].map((verb) => ({ verb, ref: { resource: subresources.podPortForward, namespace, name: '' } })),
    ...(options.nudge ? [{ verb: 'patch', ref: all(resources.Pod) }] : []),
    ...(options.restart === 'never'
      ? []
      : [
          { verb: 'get', ref: all(resources.ReplicaSet) },
          ...['get', 'list', 'watch', 'patch'].map((verb) => ({ verb, ref: all(resources.Deployment) })),
        ]),
  ];
}
