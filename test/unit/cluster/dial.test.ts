import net from 'node:net';
import tls from 'node:tls';
import { beforeAll, describe, expect, test } from 'vitest';
import { dial } from '../../../src/cluster/dial.ts';
import { inspect } from '../../../src/pki/inspect.ts';
import type { Authority, Leaf } from '../../../src/pki/types.ts';
import { makeCa } from '../pki/certificates.ts';
import { never } from './kube-api.ts';
import { listening, serverName, servingCertificate } from './listening.ts';

let authority: Authority;
let leaf: Leaf;
beforeAll(async () => {
  ({ authority, leaf } = await servingCertificate());
});

const fingerprints = (pem: string): string[] => inspect(pem).certificates.map(({ fingerprint }) => fingerprint);

describe('a TLS server', () => {
  test('gets the server name; its chain is returned in order, and not verified', async () => {
    let asked: unknown;
    const context = tls.createSecureContext({ cert: leaf.certificates + authority.certificates, key: leaf.key.reveal() });
    const server = tls.createServer({
      SNICallback: (name, use) => {
        asked = name;
        use(null, context);
      },
    });
    const handshake = await dial(await listening(server), never);
    if (handshake.kind !== 'served') throw new Error(handshake.words);
    expect(handshake.certificates.map(({ fingerprint }) => fingerprint)).toEqual(fingerprints(leaf.certificates + authority.certificates));
    expect(handshake.protocol).toBe('TLSv1.3');
    expect(asked).toBe(serverName);
  });

  test('may send unrelated certificates, or a chain out of order', async () => {
    const others = await Promise.all(['one', 'other'].map((commonName) => makeCa({ commonName })));
    const cert = [leaf.certificates, ...others.map(({ info }) => info.pem), authority.certificates].join('');
    const handshake = await dial(await listening(tls.createServer({ cert, key: leaf.key.reveal() })), never);
    if (handshake.kind !== 'served') throw new Error(handshake.words);
    expect(handshake.certificates.map(({ fingerprint }) => fingerprint)).toEqual(fingerprints(cert));
  });

  test('may send only its own certificate', async () => {
    const target = await listening(tls.createServer({ cert: leaf.certificates, key: leaf.key.reveal(), maxVersion: 'TLSv1.2' }));
    expect(await dial(target, never)).toMatchObject({ kind: 'served', protocol: 'TLSv1.2', certificates: [{ dnsNames: [serverName] }] });
  });

  test('gets no server name for an IP address', async () => {
    const target = await listening(tls.createServer({ cert: leaf.certificates, key: leaf.key.reveal() }));
    expect(await dial({ ...target, serverName: '127.0.0.1' }, never)).toMatchObject({ kind: 'served' });
  });

  test('may have a self-signed certificate', async () => {
    const { info, keyPair } = await makeCa({ commonName: 'self' });
    const key = keyPair.privateKey.export({ type: 'pkcs8', format: 'pem' });
    expect(await dial(await listening(tls.createServer({ cert: info.pem, key })), never)).toMatchObject({
      certificates: [{ subject: 'CN=self' }],
    });
  });

  test('may be too old', async () => {
    const context = { cert: leaf.certificates, key: leaf.key.reveal(), minVersion: 'TLSv1', maxVersion: 'TLSv1.1' } as const;
    expect(await dial(await listening(tls.createServer(context).on('tlsClientError', () => {})), never)).toMatchObject({
      kind: 'failed',
      fault: 'other',
    });
  });
});

describe('anything but a TLS server', () => {
  test('plain HTTP', async () => {
    const server = net.createServer((socket) => socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')));
    expect(await dial(await listening(server), never)).toMatchObject({ kind: 'failed', fault: 'not-tls' });
  });

  test('a closed port', async () => {
    expect(await dial({ address: '127.0.0.1', port: 1, serverName }, never)).toEqual({
      kind: 'failed',
      fault: 'refused',
      words: 'connection refused',
    });
  });

  test('a host name that is unknown here, but perhaps not to kube-apiserver', async () => {
    expect(await dial({ address: 'api.invalid', port: 443, serverName }, never)).toMatchObject({ kind: 'failed', fault: 'no-route' });
  });

  test.each([
    ['closes', (socket: net.Socket) => void socket.end()],
    ['resets', (socket: net.Socket) => void socket.once('data', () => socket.resetAndDestroy())],
  ])('a server that %s', async (_, act) => {
    expect(await dial(await listening(net.createServer(act)), never)).toMatchObject({ kind: 'failed', fault: 'reset' });
  });

  test('a server that hangs is a time-out, even when it sends a byte now and then', { timeout: 10_000 }, async () => {
    const server = net.createServer((socket) => {
      // The header of a handshake record that never completes.
      socket.write(Buffer.from('1603034000', 'hex'));
      const trickle = setInterval(() => socket.write('\0'), 500);
      socket.on('close', () => clearInterval(trickle));
    });
    expect(await dial(await listening(server), never)).toEqual({
      kind: 'failed',
      fault: 'tls-timeout',
      words: 'the TLS handshake timed out',
    });
  });
});

test('ends with the reason of the signal', async () => {
  const target = await listening(net.createServer(() => {}));
  const stop = new AbortController();
  const reason = new Error('enough');
  setTimeout(() => stop.abort(reason), 30);
  await expect(dial(target, stop.signal)).rejects.toBe(reason);
  await expect(dial(target, stop.signal)).rejects.toBe(reason);
});
