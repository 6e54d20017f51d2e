import { readFile } from 'node:fs/promises';
import { setInterval } from 'node:timers/promises';
import type { Flags } from './flags.ts';

/** What the server shows in handshakes: PEM texts. */
export interface ServingPair {
  readonly cert: string;
  readonly key: string;
}

/** A kubelet exchanges both files of a Secret at once; to look every second costs nothing, and misses nothing where file events do not arrive. */
const lookMs = 1_000;

/** @throws the error of the file that can't be read */
export async function readServingPair({ certFile, keyFile }: Pick<Flags, 'certFile' | 'keyFile'>): Promise<ServingPair> {
  const [cert, key] = await Promise.all([readFile(certFile, 'utf8'), readFile(keyFile, 'utf8')]);
  return { cert, key };
}

/**
 * Reads the files again and again and hands over what is new, as k8s.io/apiserver does (pkg/server/dynamiccertificates/dynamic_serving_content.go): who renews the
 * Secret needs no restart. Ends with the signal. @param failed - is told why a new pair can't be used; the one before stays in use
 */
export async function followServingPair(
  files: Pick<Flags, 'certFile' | 'keyFile'>,
  before: ServingPair,
  { use, failed, signal }: { use: (pair: ServingPair) => void; failed: (error: Error) => void; signal: AbortSignal },
): Promise<void> {
  let seen = before;
  for await (const _ of setInterval(lookMs, undefined, { signal })) {
    try {
      const found = await readServingPair(files);
      if (found.cert === seen.cert && found.key === seen.key) continue;
      seen = found;
      use(found);
    } catch (error) {
      failed(error as Error);
    }
  }
}
