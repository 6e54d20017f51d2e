import { once, setMaxListeners } from 'node:events';
import { mkdir } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { type ControlPlaneFiles, controlPlaneFiles, writeControlPlaneFiles } from '../shared/credentials.ts';
import { contextNames, type Engine, type KubernetesImitated } from '../shared/engine.ts';
import { writeUserKubeconfig } from '../shared/kubeconfig.ts';
import { runAvailability } from './availability.ts';
import { bootstrap } from './bootstrap.ts';
import { runControllers } from './cluster-controllers.ts';
import { createSimulationServer } from './server.ts';
import { createStore } from './store.ts';

export interface SimulationOptions {
  /** For certificates and the kubeconfig. The caller removes it after `stop`. */
  readonly stateDir: string;
  readonly kubelet: RequestListener;
  readonly kubernetes: KubernetesImitated;
  /** The start of the validity of certificates. */
  readonly now: Date;
}

const address = '127.0.0.1';
const names = ['localhost', address];

/** Starts a control plane inside this process. Only its files are left after `stop`. */
export async function startSimulation(options: SimulationOptions): Promise<Engine & { readonly files: ControlPlaneFiles }> {
  const { stateDir, kubelet, kubernetes, now } = options;
  const files = controlPlaneFiles(stateDir);
  const kubeconfig = join(stateDir, 'admin.kubeconfig');
  await mkdir(stateDir, { recursive: true });
  await writeControlPlaneFiles(files, names, now);

  const ended = new AbortController();
  // Every watch and connection listens to it; Node would warn of a leak.
  setMaxListeners(0, ended.signal);
  const clock = (): Date => new Date();
  const simulation = { store: createStore(clock), kubernetes, files, kubelet, now: clock, signal: ended.signal };
  const server = createSimulationServer(simulation);
  const connections = new Set<Duplex>();
  server.on('connection', (socket) => {
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
  });
  const stop = async (): Promise<void> => {
    ended.abort();
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    for (const socket of connections) socket.destroy();
    await closed;
  };

  server.listen(0, address);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const url = `https://${address}:${port}`;
  try {
    runControllers(simulation);
    bootstrap(simulation);
    runAvailability(simulation);
    const admin = { user: 'admin', groups: ['system:masters'], now, name: contextNames.simulated };
    await writeUserKubeconfig(kubeconfig, { server: url, files }, admin);
  } catch (error) {
    await stop();
    throw error;
  }
  const name = `a simulation of Kubernetes ${kubernetes}`;
  const died = new Promise<never>(() => {});
  return { kind: 'simulated', name, server: url, kubeconfig, podAddress: address, files, died, stop };
}
