import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { endEntityConstraints, extendedKeyUsage } from '../../../src/pki/extensions.ts';
import type { ApiserverChange } from '../../../src/sandbox/real/components.ts';
import { frontProxyName } from '../../../src/sandbox/shared/credentials.ts';
import { day, make, type Recipe } from '../../unit/pki/certificates.ts';
import { makeCa, pair, pem } from '../harness/certificates.ts';
import type { Place } from '../harness/run.ts';

export interface FrontProxy {
  /** Changes of the CA. */
  readonly ca?: Partial<Recipe>;
  /** The common name of the client certificate. */
  readonly commonName?: string;
}

/**
 * Creates a front-proxy CA and the client certificate of kube-apiserver.
 * @returns the flags for them
 */
export async function frontProxy(
  { stateDir }: Place,
  { ca: change = {}, commonName = frontProxyName }: FrontProxy,
): Promise<ApiserverChange> {
  const issuer = await makeCa('another front proxy', change);
  const valid = { notBefore: new Date(Date.now() - day), notAfter: new Date(Date.now() + day) };
  const client = pair(await make({ commonName, issuer, extensions: [endEntityConstraints(), extendedKeyUsage(['clientAuth'])], ...valid }));
  const write = async (flag: string, text: string): Promise<string> => {
    const path = join(stateDir, `other-${flag}.pem`);
    await writeFile(path, text, { mode: 0o600 });
    return `--${flag}=${path}`;
  };
  const flags = [
    write('requestheader-client-ca-file', pem(issuer)),
    write('proxy-client-cert-file', client.certificates),
    write('proxy-client-key-file', client.key),
  ];
  return { flags: await Promise.all(flags) };
}
