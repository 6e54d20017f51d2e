import { createPublicKey } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { children, decode, encode, type Node } from '../../../src/pki/der.ts';
import { endEntityConstraints, extendedKeyUsage } from '../../../src/pki/extensions.ts';
import { pemBlocks } from '../../../src/pki/pem-blocks.ts';
import { type Made, make } from '../../unit/pki/certificates.ts';
import { pem } from './certificates.ts';
import { kubectlOk } from './projects.ts';

/** A CertificateSigningRequest, as kubectl prints it. */
export interface Requested {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly request: string;
    readonly signerName: string;
    readonly usages: readonly string[];
    readonly expirationSeconds: number;
  };
  readonly status?: { readonly conditions?: readonly { readonly type: string }[]; readonly certificate?: string };
}

/** The requests for a signer, oldest first. */
export async function requestsFor(signer: string): Promise<readonly Requested[]> {
  const { items } = JSON.parse(await kubectlOk(['get', 'csr', '--sort-by=.metadata.creationTimestamp', '-o', 'json']));
  return items.filter(({ spec }: Requested) => spec.signerName === signer);
}

/** What a signer writes to the status. */
type Verdict = { readonly certificate: string } | { readonly conditions: readonly object[] };

/** A signer that signs what was approved, until the test ends. */
export function runSigner(signer: string, decide: (request: Requested) => Promise<Verdict>): void {
  const stop = new AbortController();
  const isOpen = ({ status = {} }: Requested): boolean =>
    status.certificate === undefined && (status.conditions ?? []).map(({ type }) => type).join() === 'Approved';
  const loop = (async () => {
    while (!stop.signal.aborted) {
      for (const request of (await requestsFor(signer)).filter(isOpen)) {
        const verdict = await decide(request);
        const status = 'conditions' in verdict ? { conditions: [...(request.status?.conditions ?? []), ...verdict.conditions] } : verdict;
        const patch = JSON.stringify({ status });
        await kubectlOk(['patch', 'csr', request.metadata.name, '--subresource=status', '--type=merge', '-p', patch]);
      }
      await sleep(200);
    }
  })();
  onTestFinished(async () => {
    stop.abort();
    await loop;
  });
}

/** Signs a request with a CA: the key and the names of the request. */
export const signWith =
  (ca: Made) =>
  async ({ spec }: Requested): Promise<Verdict> => {
    const { publicKey, names } = contentOf(Buffer.from(spec.request, 'base64').toString());
    const made = await make({
      commonName: 'signed',
      issuer: ca,
      keyPair: { publicKey, privateKey: ca.keyPair.privateKey },
      extensions: [endEntityConstraints(), extendedKeyUsage(['serverAuth']), names],
      notBefore: new Date(Date.now() - 60_000),
      notAfter: new Date(Date.now() + spec.expirationSeconds * 1000),
    });
    return { certificate: Buffer.from(pem(made)).toString('base64') };
  };

/** The public key and the extension with the names of a request (RFC 2986 4.1). */
function contentOf(text: string): { readonly publicKey: ReturnType<typeof createPublicKey>; readonly names: Node } {
  const [block] = pemBlocks(text);
  if (!block?.der) throw new Error(`not a request: ${text}`);
  const [, , key, attributes] = children(children(decode(block.der))[0]);
  const [, values] = children(children(attributes)[0]);
  const [names] = children(children(values)[0]);
  if (!key || !names) throw new Error(`incomplete: ${text}`);
  return { publicKey: createPublicKey({ key: encode(key), type: 'spki', format: 'der' }), names };
}
