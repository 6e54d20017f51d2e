import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import type { KubeConfig } from '@kubernetes/client-node/dist/config.js';

/** The part of client-node's ExecAuth that starts a credential plugin (dist/exec_auth.js); its types keep it private. */
interface PluginStarter {
  execFn: (command: string, args: readonly string[] | undefined, options: SpawnOptions) => ChildProcess;
}

const startsPlugins = (authenticator: object): authenticator is PluginStarter => 'execFn' in authenticator;

/**
 * Makes the credential plugins of a kubeconfig end with the signal. A plugin that waits, for a login in a browser say, would otherwise outlive the
 * command that started it.
 */
export function endPluginsWith(config: KubeConfig, signal: AbortSignal): void {
  const { authenticators } = config as unknown as { readonly authenticators: readonly object[] };
  for (const authenticator of authenticators.filter(startsPlugins)) {
    // SIGKILL: whoever catches SIGTERM may stay.
    authenticator.execFn = (command, args, options) => spawn(command, args ?? [], { ...options, signal, killSignal: 'SIGKILL' });
  }
}
