import type { KubeObject } from '../../../../src/manifests/types.ts';
import { refusal } from '../client.ts';
import type { Step } from '../step.ts';
import { namespace } from '../world.ts';

/** Requests that kube-apiserver passes on to a kubelet. */

const pods = `/api/v1/namespaces/${namespace}/pods`;

const pod = (name: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace },
  spec: { containers: [{ name: 'server', image: 'none', ports: [{ containerPort: 1 }] }] },
});

export const kubelet: readonly Step[] = [
  {
    name: 'pod-without-node',
    run: async ({ admin, name, create }) => {
      await create(pod(name));
      const path = `${pods}/${name}`;
      return {
        log: (await admin.ask('GET', `${path}/log`)).status,
        logOfContainer: refusal(await admin.ask('GET', `${path}/log?container=other`)),
        missing: await admin.ask('GET', `${path}-missing/log`),
        deleted: (await admin.ask('DELETE', path)).status,
      };
    },
  },
];
