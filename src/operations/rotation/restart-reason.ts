import type { KubeObject } from '../../manifests/types.ts';
import { secretMounts } from '../../snapshot/secret-mounts.ts';
import { containersOf } from '../../snapshot/server-flags.ts';
import { type Json, listOf } from '../../snapshot/views.ts';
import { reloadMs } from '../served.ts';
import type { RestartMode } from './rotation.ts';

/**
 * Why the files of a pod never follow its Secret; undefined if they do. kubelet updates neither a
 * file that is mounted alone nor environment variables (kubernetes.io, Secrets, "Mounted Secrets
 * are updated automatically").
 */
export function whyFixed(pod: KubeObject, secret: string): string | undefined {
  for (const container of containersOf(pod)) {
    const mount = secretMounts(pod, container).find(({ name, subPath }) => name === secret && subPath !== undefined);
    if (mount) return `it mounts Secret ${secret} with subPath`;
    const variables = [
      ...listOf(container.env).map(({ valueFrom }: Json) => valueFrom?.secretKeyRef?.name),
      ...listOf(container.envFrom).map(({ secretRef }: Json) => secretRef?.name),
    ];
    if (variables.includes(secret)) return `it reads Secret ${secret} into environment variables`;
  }
  return undefined;
}

export interface RestartQuestion {
  readonly mode: RestartMode;
  /** Why the files of the pods cannot follow the Secret. */
  readonly fixed: string | undefined;
  /**
   * How long a pod has served another certificate since the Secret was written, in milliseconds.
   */
  readonly elapsedMs: number;
}

/** Why pods need a restart now; undefined while they may still reload. */
export function restartReason({ mode, fixed, elapsedMs }: RestartQuestion): string | undefined {
  if (fixed !== undefined) return fixed;
  if (mode === 'always') return '--restart=always';
  return elapsedMs > reloadMs ? `it still serves another certificate after ${reloadMs / 1000}s` : undefined;
}
