import { readFile } from 'node:fs/promises';
import { setInterval } from 'node:timers/promises';
import { createAuthority } from '../../pki/authority.ts';
import { servingCertificate } from '../shared/credentials.ts';
import type { ServingFiles } from './flags.ts';

/** A certificate and its key as PEM. */
export interface ServingPair {
  readonly cert: string;
  readonly key: string;
}

/** The node swaps both files at once. Polling also works where file events do not arrive. */
const pollMs = 1_000;

/** @throws the error of a file that cannot be read */
export async function readServingPair({ certFile, keyFile }: ServingFiles): Promise<ServingPair> {
  const [cert, key] = await Promise.all([readFile(certFile, 'utf8'), readFile(keyFile, 'utf8')]);
  return { cert, key };
}

/**
 * Reloads the files until the signal aborts, as k8s.io/apiserver does
 * (pkg/server/dynamiccertificates/dynamic_serving_content.go): a new Secret needs no restart.
 * @param onError is called when a new pair is not usable; the previous one stays in use
 */
export async function watchServingPair(
  files: ServingFiles,
  before: ServingPair,
  { onChange, onError, signal }: { onChange: (pair: ServingPair) => void; onError: (error: Error) => void; signal: AbortSignal },
): Promise<void> {
  let last = before;
  for await (const _ of setInterval(pollMs, undefined, { signal })) {
    try {
      const pair = await readServingPair(files);
      if (pair.cert === last.cert && pair.key === last.key) continue;
      last = pair;
      onChange(pair);
    } catch (error) {
      onError(error as Error);
    }
  }
}

/** Makes a certificate that no client verifies, and keeps it in memory. */
export async function makeServingPair(now: Date): Promise<ServingPair> {
  const authority = await createAuthority({ commonName: 'demo', keyType: 'ecdsa-p256', lifetimeMs: 366 * 86_400_000, now });
  const { certificates, key } = await servingCertificate(authority, 'localhost', ['localhost'], now);
  return { cert: certificates, key: key.reveal() };
}
