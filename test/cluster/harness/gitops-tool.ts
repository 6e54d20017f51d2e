import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { expect } from 'vitest';
import { dieWithParent } from '../../../src/sandbox/shared/process.ts';
import { program } from './programs.ts';
import { cluster } from './provided.ts';

/** A GitOps tool that syncs a folder of manifests to the cluster again and again. */
export interface GitOpsOptions {
  /** components/argocd-engine or components/flux-apply. */
  readonly program: 'argocd-engine' | 'flux-apply';
  /** The folder, which stands for the Git repository. */
  readonly manifests: string;
  readonly flags?: readonly string[];
}

/** What one sync found and did. */
export interface Sync {
  /** RFC 3339. */
  readonly started: string;
  /** Why the tool could not compare or apply. */
  readonly error?: string;
  /** The objects that differ from Git, which Argo CD shows as OutOfSync. */
  readonly drift: readonly { readonly resource: string; readonly live?: unknown; readonly predicted?: unknown }[];
  /** Only of Argo CD: how the sync ended. */
  readonly phase?: string;
  readonly message?: string;
  readonly results?: readonly { readonly resource: string; readonly message: string }[];
}

export interface GitOpsTool {
  /** Waits for a whole sync that starts after this call. */
  sync(): Promise<Sync>;
  /** Every sync until now. */
  readonly syncs: readonly Sync[];
  stop(): Promise<void>;
}

/** Starts the tool. It syncs until `stop` is called. */
export function startGitOps({ program: name, manifests, flags = [] }: GitOpsOptions): GitOpsTool {
  const owner = name === 'argocd-engine' ? '--application=gitops' : '--kustomization=gitops';
  const own = [`--kubeconfig=${cluster.kubeconfig}`, `--manifests=${manifests}`, owner, '--interval=1s'];
  const [command = '', ...args] = [...dieWithParent(), program(cluster.programs, name), ...own, ...flags];
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const syncs: Sync[] = [];
  let errors = '';
  child.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  let hasEnded = false;
  const ended = once(child, 'close').then(() => {
    hasEnded = true;
  });
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (line) => syncs.push(JSON.parse(line)));
  return {
    syncs,
    async sync() {
      const called = Date.now();
      for (;;) {
        const found = syncs.find(({ started }) => Date.parse(started) >= called);
        if (found) return found;
        if (hasEnded) throw new Error(`the GitOps tool ended: ${errors}`);
        await Promise.race([once(lines, 'line'), ended]);
      }
    },
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** Expects that a tool found no drift and could apply everything. */
export function expectInSync(syncs: readonly Sync[]): void {
  const bad = syncs.filter(
    ({ error, drift, phase }) => error !== undefined || drift.length > 0 || !['Succeeded', undefined].includes(phase),
  );
  expect(bad).toEqual([]);
}
