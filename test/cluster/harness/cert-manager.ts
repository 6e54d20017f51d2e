import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect } from 'vitest';
import { dieWithParent } from '../../../src/sandbox/shared/process.ts';
import { getJson } from './administrator.ts';
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
export const startCertManager = (part: 'controller' | 'cainjector', kubeconfig = cluster.kubeconfig): CertManager =>
  startPart(part, [program(cluster.programs, 'cert-manager'), `--kubeconfig=${kubeconfig}`, part]);

/**
 * Starts a program of cert-manager.
 * @param command may begin with one that enters namespaces
 */
export function startPart(part: string, command: readonly string[]): CertManager {
  const [first = '', ...args] = [...dieWithParent(), ...command];
  const child = spawn(first, args, { stdio: ['ignore', 'ignore', 'pipe'] });
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

// biome-ignore lint/suspicious/noExplicitAny: the status as it is in the cluster.
const statusOf = async (namespace: string, certificate: string): Promise<any> =>
  (await getJson(`/apis/cert-manager.io/v1/namespaces/${namespace}/certificates/${certificate}`)).status;

/**
 * Renews a Certificate, and waits until it is issued. Does what `cmctl renew` does
 * (github.com/cert-manager/cmctl, pkg/renew).
 */
export async function renew(namespace: string, certificate: string): Promise<void> {
  const { conditions, revision } = await statusOf(namespace, certificate);
  const lastTransitionTime = new Date().toISOString().replace(/\.\d+/, '');
  const issuing = { type: 'Issuing', status: 'True', reason: 'ManuallyTriggered', message: 'Renewal of the spec', lastTransitionTime };
  const patch = JSON.stringify({ status: { conditions: [...conditions, issuing] } });
  await kubectlOk(['patch', 'certificate', certificate, '-n', namespace, '--subresource=status', '--type=merge', '-p', patch]);
  await expect.poll(async () => (await statusOf(namespace, certificate)).revision, { timeout: 120_000 }).toBe(revision + 1);
}
