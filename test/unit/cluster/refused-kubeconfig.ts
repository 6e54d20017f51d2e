import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { connect } from '../../../src/cluster/cluster.ts';
import type { ApisvcError } from '../../../src/errors.ts';
import { type Made, make } from '../pki/certificates.ts';
import { filesOf, kubeconfig, never } from './kube-api.ts';

/** A kubeconfig that kubectl refuses. */

export const server = 'https://192.0.2.1';
export const base64 = (text: string): string => Buffer.from(text).toString('base64');
export const pemKey = ({ keyPair }: Made): string => keyPair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
export const jane = await make({ commonName: 'jane' });

/** The error for a kubeconfig with this cluster and this user. */
export async function refusal(parts: { readonly cluster?: object; readonly user?: object }): Promise<ApisvcError> {
  const { cluster = { server }, user = {} } = parts;
  const dir = filesOf({ key: pemKey(jane), certificate: jane.info.pem, empty: '' });
  const users = [{ name: 'jane', user }];
  const contexts = [{ name: 'test', context: { cluster: 'kind', user: 'jane' } }];
  const config = { ...kubeconfig(server), clusters: [{ name: 'kind', cluster }], users, contexts };
  writeFileSync(join(dir, 'config'), JSON.stringify(config));
  return connect({ kubeconfig: join(dir, 'config') }, {}, never).then(
    (connection) => {
      connection.close();
      return expect.unreachable('it was accepted');
    },
    (error) => error,
  );
}
