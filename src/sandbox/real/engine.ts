import { join } from 'node:path';
import { ApisvcError } from '../../errors.ts';
import type { ControlPlaneFiles } from '../shared/credentials.ts';
import { contextNames, type Engine } from '../shared/engine.ts';
import { writeUserKubeconfig } from '../shared/kubeconfig.ts';
import { type ControlPlanePrograms, housekeeping } from './components.ts';
import { startControlPlane } from './control-plane.ts';
import { createNetwork, removeNetwork, removeOrphanedNetworks, requireNamespaces } from './network.ts';
import { outwardAddress, type Place, placeHere, placeIn } from './place.ts';

export interface RealEngineOptions {
  readonly programs: ControlPlanePrograms;
  /** An existing, empty folder of the caller's, who also removes it. */
  readonly stateDir: string;
  readonly now: Date;
  /** Ends the wait for readiness. */
  readonly signal: AbortSignal;
}

/** A place, and how pods that are processes of this machine are reached from there. */
interface Room {
  readonly place: Place;
  readonly podAddress: string;
  remove(): Promise<void>;
}

/**
 * Starts etcd and kube-apiserver, with the controllers that keep house where kube-controller-manager is there too. Root on Linux gets a network namespace of its own, where the control plane
 * is not reached from outside this machine; everybody else loopback, and pods at the machine's own address.
 * @throws as startControlPlane; UsageError when this machine has no address for pods
 */
export async function startRealEngine(options: RealEngineOptions): Promise<Engine & { readonly files: ControlPlaneFiles }> {
  const { place, podAddress, remove } = await makeRoom();
  try {
    const controlPlane = await startControlPlane({ ...options, place, controllers: housekeeping });
    const { server, files, died } = controlPlane;
    const kubeconfig = join(options.stateDir, 'kubeconfig');
    await writeUserKubeconfig(kubeconfig, controlPlane, {
      user: 'admin',
      groups: ['system:masters'],
      now: options.now,
      name: contextNames.real,
    });
    return {
      kind: 'real',
      name: 'kube-apiserver and etcd',
      server,
      kubeconfig,
      files,
      podAddress,
      died,
      stop: async () => {
        await controlPlane.stop();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function makeRoom(): Promise<Room> {
  if (!mayMakeNamespaces()) return { place: await placeHere(), podAddress: outwardAddress(), remove: async () => {} };
  await removeOrphanedNetworks();
  const network = await createNetwork();
  return { place: placeIn(network), podAddress: network.hostAddress, remove: () => removeNetwork(network) };
}

function mayMakeNamespaces(): boolean {
  try {
    requireNamespaces();
    return true;
  } catch (error) {
    if (error instanceof ApisvcError) return false;
    throw error;
  }
}
