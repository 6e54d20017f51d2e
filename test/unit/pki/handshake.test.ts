import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type PeerCertificate } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { createAuthority } from '../../../src/pki/authority.ts';
import { issueServing } from '../../../src/pki/leaf.ts';
import type { Authority, Leaf } from '../../../src/pki/types.ts';
import { day } from './certificates.ts';

const names = { dns: ['api.wardle.svc', 'api'], ip: [] };

/** The result of Node's TLS client, which trusts only the authority, for a server with the leaf. */
async function handshake(authority: Authority, leaf: Leaf, servername: string): Promise<PeerCertificate> {
  const server = createServer({ cert: leaf.certificates, key: leaf.key.reveal() }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const socket = connect({ port, host: '127.0.0.1', servername, ca: authority.certificates });
  try {
    await once(socket, 'secureConnect');
    return socket.getPeerCertificate();
  } finally {
    socket.destroy();
    server.close();
  }
}

describe('a TLS handshake of Node', () => {
  it.each(['ecdsa-p256', 'ecdsa-p384', 'rsa-2048'] as const)(
    'accepts %s under the names of the certificate and no other',
    async (keyType) => {
      const now = new Date();
      const authority = createAuthority({ commonName: 'CA', keyType, lifetimeMs: day, constrainTo: names, now });
      const leaf = await issueServing({ authority, names, keyType, lifetimeMs: day, now });
      expect((await handshake(await authority, leaf, 'api.wardle.svc')).subjectaltname).toBe('DNS:api.wardle.svc, DNS:api');
      await expect(handshake(await authority, leaf, 'other.wardle.svc')).rejects.toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
      const stranger = await createAuthority({ commonName: 'CA', keyType: 'ecdsa-p256', lifetimeMs: day, now });
      await expect(handshake(stranger, leaf, 'api.wardle.svc')).rejects.toThrow();
    },
  );
});
