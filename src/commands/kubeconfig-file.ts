import { readFileSync, rmSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { parse } from 'yaml';
import { fileExists, reading } from '../config/file-errors.ts';
import { UsageError } from '../errors.ts';
import { saveFile } from '../project/files.ts';
import { contextNames } from '../sandbox/index.ts';

/**
 * Writes the kubeconfig of a sandbox to a file that the user chose. Removes it when the sandbox
 * ends, unless it was changed.
 * @param path undefined to write nothing
 * @throws UsageError when the file exists and no earlier sandbox left it there
 */
export async function keepKubeconfig(path: string | undefined): Promise<{ write(from: string): void; remove(): void }> {
  if (path === undefined) return { write: () => {}, remove: () => {} };
  if (fileExists(path)) {
    const server = isRegular(path) ? serverOf(readText(path)) : undefined;
    const refusal = server === undefined ? 'exists and is not the kubeconfig of a sandbox' : 'is the kubeconfig of a running sandbox';
    if (server === undefined || (await isUp(server))) {
      throw new UsageError(`${path} ${refusal}`, { fix: 'Choose another file for --write-kubeconfig.' });
    }
  }
  let written: string | undefined;
  return {
    write: (from) => {
      const text = readFileSync(from, 'utf8');
      saveFile({ path, text, mode: 0o600 });
      written = text;
    },
    remove: () => {
      if (written !== undefined && fileExists(path) && readText(path) === written) rmSync(path, { force: true });
    },
  };
}

/** A pipe would block. */
const isRegular = (path: string): boolean => reading(path, () => statSync(path).isFile());

const readText = (path: string): string => reading(path, () => readFileSync(path, 'utf8'));

/**
 * The server of a kubeconfig that a sandbox wrote; undefined for any other. It has one cluster, one
 * user and one context with our name, and nothing else, because users merge kubeconfigs.
 */
function serverOf(text: string): URL | undefined {
  try {
    const { clusters, users, contexts } = parse(text);
    const ours = [clusters, users, contexts].every(
      (list) => list.length === 1 && Object.values<string>(contextNames).includes(list[0].name),
    );
    return ours ? new URL(clusters[0].cluster.server) : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a server listens there. */
const isUp = ({ hostname, port }: URL): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(port), timeout: 1_000 });
    const end = (up: boolean) => (): void => {
      socket.destroy();
      resolve(up);
    };
    socket.once('connect', end(true)).once('error', end(false)).once('timeout', end(false));
  });
