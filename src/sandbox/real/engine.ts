import { join } from 'node:path';
import type { ControlPlaneFiles } from '../shared/credentials.ts';
import { contextNames, type Engine } from '../shared/engine.ts';
import { writeUserKubeconfig } from '../shared/kubeconfig.ts';
import { type ControlPlanePrograms, sandboxControllers } from './components.ts';
import { startControlPlane } from './control-plane.ts';
import { createNetwork, namespaceFault, removeNetwork, removeOrphanedNetworks } from './network.ts';
import { placeIn, placeOnLoopback, podAddressOfHost } from './place.ts';

export interface RealEngineOptions {
  readonly programs: ControlPlanePrograms;
  /** An existing, empty folder, which the caller removes. */
  readonly stateDir: string;
  readonly now: Date;
  /** Ends the wait for readiness. */
  readonly signal: AbortSignal;
}

/**
 * Starts etcd, kube-apiserver and, if available, kube-controller-manager. They run in a network
 * namespace if this process may create one, otherwise on loopback.
 * @throws as startControlPlane; UsageError when this host has no address for pods
 */
export async function startRealEngine(options: RealEngineOptions): Promise<Engine & { readonly files: ControlPlaneFiles }> {
  const { place, podAddress, remove } = await preparePlace();
  try {
    const controlPlane = await startControlPlane({ ...options, place, controllers: sandboxControllers });
    const { server, files, died } = controlPlane;
    const kubeconfig = join(options.stateDir, 'kubeconfig');
    const admin = { user: 'admin', groups: ['system:masters'], now: options.now, name: contextNames.real };
    await writeUserKubeconfig(kubeconfig, controlPlane, admin);
    const stop = async (): Promise<void> => {
      await controlPlane.stop();
      await remove();
    };
    return { kind: 'real', name: 'kube-apiserver and etcd', server, kubeconfig, files, podAddress, died, stop };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function preparePlace() {
  if (namespaceFault()) return { place: await placeOnLoopback(), podAddress: podAddressOfHost(), remove: async () => {} };
  await removeOrphanedNetworks();
  const network = await createNetwork();
  return { place: placeIn(network), podAddress: network.hostAddress, remove: () => removeNetwork(network) };
}
