import type { KubeObject } from '../manifests/types.ts';
import type { Container } from './server-flags.ts';
import { type Json, listOf, textOf } from './views.ts';

/** A mount of a Secret in the file system of a container. */
export interface SecretMount {
  readonly name: string;
  readonly mountPath: string;
  /** The file or directory of the Secret that is mounted alone. */
  readonly subPath: string | undefined;
  /** Names of entries by file name. Undefined where every entry is a file with its name. */
  readonly items: ReadonlyMap<string, string> | undefined;
}

/**
 * Every mount of a Secret into a container, including the parts of projected volumes.
 * @param pod a Pod
 */
export function secretMounts({ spec }: KubeObject & Json, { volumeMounts }: Container): SecretMount[] {
  const sources = listOf(spec?.volumes).flatMap(({ name, secret, projected }) => [
    ...(secret ? [{ volume: name, name: textOf(secret.secretName), items: secret.items }] : []),
    ...listOf(projected?.sources).flatMap(({ secret: part }) =>
      part ? [{ volume: name, name: textOf(part.name), items: part.items }] : [],
    ),
  ]);
  return listOf(volumeMounts).flatMap(({ name: volume, mountPath, subPath, subPathExpr }) =>
    sources
      .filter((source) => source.volume === volume)
      .map(({ name, items }) => ({
        name,
        mountPath: textOf(mountPath).replace(/\/+$/, ''),
        subPath: subPath || subPathExpr ? textOf(subPath || subPathExpr) : undefined,
        items: Array.isArray(items) ? new Map(listOf(items).map(({ key, path }) => [textOf(path), textOf(key)])) : undefined,
      })),
  );
}

/** The entries of a Secret that are files of a mount. @param entries all entries of the Secret */
export function mountedEntries({ subPath, items }: SecretMount, entries: readonly string[]): readonly string[] {
  const files = items ?? new Map(entries.map((entry) => [entry, entry]));
  const paths = [...files].filter(([path]) => subPath === undefined || path === subPath || path.startsWith(`${subPath}/`));
  return paths.map(([, entry]) => entry).filter((entry) => entries.includes(entry));
}

/**
 * The mounts that contain a path: those at the deepest directory above it, which hides mounts
 * higher up.
 * @returns several where parts of a projected volume share a directory
 */
export function mountsAt<Mount extends { readonly mountPath: string }>(mounts: readonly Mount[], path: string): Mount[] {
  const above = mounts.filter(({ mountPath }) => path === mountPath || path.startsWith(`${mountPath}/`));
  const deepest = Math.max(...above.map(({ mountPath }) => mountPath.length));
  return above.filter(({ mountPath }) => mountPath.length === deepest);
}

/** The entry of a Secret that is mounted as the file at this path. */
export function entryAt(mounts: readonly SecretMount[], path: string): { readonly secret: string; readonly entry: string } | undefined {
  for (const { name, mountPath, subPath, items } of mountsAt(mounts, path)) {
    const file = [subPath, path.slice(mountPath.length + 1)].filter((part) => part !== undefined && part !== '').join('/');
    const entry = items ? items.get(file) : file;
    if (entry !== undefined && entry !== '' && !entry.includes('/')) return { secret: name, entry };
  }
  return undefined;
}
