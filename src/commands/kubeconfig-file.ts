import { existsSync, readFileSync, rmSync } from 'node:fs';
import { UsageError } from '../errors.ts';
import { fileError, saveFile } from '../project/files.ts';
import { contextNames } from '../sandbox/engine.ts';

/**
 * A kubeconfig of a sandbox in a place that somebody chose. It is worth nothing when the sandbox has ended, and is removed then.
 * @param path - undefined: there is none, and nothing is done
 * @throws UsageError when there is a file that no sandbox has left there
 */
export function keepKubeconfig(path: string | undefined): { write(from: string): void; remove(): void } {
  if (path === undefined) return { write: () => {}, remove: () => {} };
  if (existsSync(path) && !isOurs(path)) {
    throw new UsageError(`${path} exists and is not the kubeconfig of a sandbox`, { fix: 'Choose another file for --write-kubeconfig.' });
  }
  return {
    write: (from) => saveFile({ path, text: readFileSync(from, 'utf8'), mode: 0o600 }),
    remove: () => rmSync(path, { force: true }),
  };
}

function isOurs(path: string): boolean {
  try {
    const text = readFileSync(path, 'utf8');
    return Object.values(contextNames).some((name) => text.includes(`current-context: ${name}\n`));
  } catch (cause) {
    throw fileError('read', path, cause);
  }
}
