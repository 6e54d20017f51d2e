import type { Cluster } from '../../cluster/cluster.ts';
import type { Need } from '../../cluster/status.ts';
import type { Registration } from '../../config/schema.ts';
import { caKeyNeeds } from '../ca-secret.ts';
import { rotationNeeds } from './needs.ts';

/**
 * The permissions by which a pod that has only apisvc.yaml rotates the serving certificate: those
 * that `rotate` asks for.
 * @param dir of the project
 */
export const needsInPod = (registration: Registration, dir: string): readonly Need[] =>
  rotationNeeds(noCluster, {
    ...{ registration, dir, kind: 'leaf', abort: false, issueNeeds: caKeyNeeds(registration) },
    ...{ soakMs: 0, restart: 'auto', nudge: false, forceConflicts: false },
    signal: new AbortController().signal,
    onProgress: () => {},
  });

const neverAsked = (): never => {
  throw new Error('permissions do not depend on the cluster');
};

/** No step asks the cluster before it runs. */
const noCluster: Cluster = {
  ...{ server: '', context: '', user: '', as: undefined, clientCertificate: undefined },
  ...{ request: neverAsked, stream: neverAsked, webSocket: neverAsked, close: neverAsked },
};
