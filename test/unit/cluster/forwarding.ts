import type { Duplex } from 'node:stream';
import type { Cluster } from '../../../src/cluster/cluster.ts';
import { clusterAt } from './kube-api.ts';
import { serveWebSockets } from './kubelet.ts';

/** Forwards to the port of a pod, and how they end. */

export const pod = { namespace: 'wardle', pod: 'api-0', port: 4443 };

export const forwarding = async (forward: Parameters<typeof serveWebSockets>[0]): Promise<Cluster> =>
  clusterAt((await serveWebSockets(forward)).url);

export const rejection = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    () => {
      throw new Error('it was fulfilled');
    },
    (error: Error) => error,
  );

/** How a stream ends: the error with which it is destroyed. */
export const fate = (stream: Duplex): Promise<Error | null> =>
  new Promise((resolve) => {
    stream.resume().on('error', () => {});
    if (stream.closed) resolve(stream.errored);
    else stream.once('close', () => resolve(stream.errored));
  });
