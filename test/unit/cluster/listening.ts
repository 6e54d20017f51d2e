import type net from 'node:net';
import type { AddressInfo } from 'node:net';
import tls from 'node:tls';
import { onTestFinished } from 'vitest';
import { createAuthority } from '../../../src/pki/authority.ts';
import { issueServing } from '../../../src/pki/leaf.ts';
import type { Authority, Leaf } from '../../../src/pki/types.ts';

export const serverName = 'api.wardle.svc';

/** A certificate for `serverName` and the authority that signed it. */
export async function servingCertificate(): Promise<{ readonly authority: Authority; readonly leaf: Leaf }> {
  const now = new Date();
  const authority = await createAuthority({ commonName: 'CA', keyType: 'ecdsa-p256', lifetimeMs: 1e9, now });
  const leaf = await issueServing({ authority, names: { dns: [serverName], ip: [] }, keyType: 'ecdsa-p256', lifetimeMs: 1e8, now });
  return { authority, leaf };
}

export const tlsServer = ({ certificates, key }: Leaf, options: tls.TlsOptions = {}): tls.Server =>
  tls.createServer({ cert: certificates, key: key.reveal(), ...options });

/**
 * Starts a server on loopback, which stops with the test.
 * @returns its address
 */
export async function listening(server: net.Server): Promise<{ address: string; port: number; serverName: string }> {
  const sockets = new Set<net.Socket>();
  server.on('connection', (socket) => sockets.add(socket.on('error', () => {})));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(() => resolve()));
  });
  return { address: '127.0.0.1', port: (server.address() as AddressInfo).port, serverName };
}
