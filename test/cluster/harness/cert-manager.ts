import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dieWithParent } from '../../../src/sandbox/shared/process.ts';
import { program } from './programs.ts';
import { kubectlOk } from './projects.ts';
import { cluster } from './provided.ts';

/** A running part of cert-manager: components/cert-manager. */
export interface CertManager {
  /**
   * Waits for something that needs it.
   * @throws Error with its log if it ends before that
   */
  during<T>(work: PromiseLike<T>): Promise<T>;
  stop(): Promise<void>;
}

/** Creates the CustomResourceDefinitions of cert-manager, as its release does. */
export async function installCertManagerCrds(): Promise<void> {
  const files = program(cluster.programs, 'deploy/crds');
  await kubectlOk(['apply', '--server-side', '-f', files]);
  await kubectlOk(['wait', '--for=condition=Established', '--timeout=60s', '-f', files]);
}

/** Starts the controllers that issue certificates, or the cainjector, which writes caBundles. */
export function startCertManager(part: 'controller' | 'cainjector', kubeconfig = cluster.kubeconfig): CertManager {
  const own = program(cluster.programs, 'cert-manager');
  const [command = '', ...args] = [...dieWithParent(), own, `--kubeconfig=${kubeconfig}`, part];
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  child.stderr.on('data', (chunk) => {
    log += chunk;
  });
  const ended = once(child, 'close');
  const failed = ended.then(([code]) => {
    throw new Error(`${part} of cert-manager ended with exit code ${code}:\n${log}`);
  });
  // It also ends when it is stopped.
  failed.catch(() => {});
  return {
    during: (work) => Promise.race([work, failed]),
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}
