import { readFileSync } from 'node:fs';
import { createServer, request as send } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { issue } from '../../../../src/pki/leaf.ts';
import type { Authority, Leaf } from '../../../../src/pki/types.ts';
import { clientCertificate, readAuthority, servingCertificate } from '../../../../src/sandbox/shared/credentials.ts';
import type { UserInfo } from '../../../../src/sandbox/shared/identity.ts';
import { createAuthenticator } from '../../../../src/sandbox/simulated/authentication.ts';
import { serviceAccountToken } from '../../../../src/sandbox/simulated/tokens.ts';
import { admin, callOf, makeSimulation, put } from './identities.ts';

/** The user that a server with the TLS options of the simulation authenticates. */
let ask: (credentials: { certificate?: Leaf; headers?: Record<string, string>; session?: Buffer }) => Promise<UserInfo | null>;
let world: Awaited<ReturnType<typeof makeSimulation>>;
let ca: Authority;
let otherCa: Authority;
let tokenOf: (account: string) => string;
const closing: (() => void)[] = [];
let session: Buffer | undefined;
/** Whether the last connection resumed a session. */
let resumed = false;

beforeAll(async () => {
  world = await makeSimulation();
  const { simulation } = world;
  const { files, store } = simulation;
  ca = await readAuthority(files.ca);
  otherCa = await readAuthority(files.frontProxyCa);
  put(store, 'ServiceAccount', 'default/robot');
  tokenOf = (name) => serviceAccountToken(simulation, callOf(admin, { namespace: 'default', name }), {}).status.token;

  const authenticate = createAuthenticator(simulation);
  const read = (file: string) => readFileSync(file);
  const tls = {
    cert: read(files.serving.cert),
    key: read(files.serving.key),
    ca: read(files.ca.cert),
    requestCert: true,
    rejectUnauthorized: false,
  };
  const server = createServer(tls, (request, response) => {
    resumed = (request.socket as TLSSocket).isSessionReused();
    response.end(JSON.stringify(authenticate(request) ?? null));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  closing.push(() => server.close(), world.end);
  ask = ({ certificate, headers = {}, session: known }) =>
    new Promise((resolve, reject) => {
      const identity = certificate && { cert: certificate.certificates, key: certificate.key.reveal() };
      const options = {
        port,
        ca: ca.certificates,
        servername: 'localhost',
        agent: false as const,
        headers,
        ...identity,
        ...(known && { session: known }),
      };
      const asked = send(options, async (response) => resolve(JSON.parse(Buffer.concat(await response.toArray()).toString())));
      asked.on('error', reject).on('socket', (socket) => socket.on('session', (ticket) => (session = ticket)));
      asked.end();
    });
});
afterAll(() => {
  for (const close of closing) close();
});

const anonymous = { name: 'system:anonymous', groups: ['system:unauthenticated'], extra: {} };
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const jane = (by: Authority, groups: string[] = []) => clientCertificate(by, 'jane', groups, new Date());

describe('client certificates', () => {
  test('identify the user and the groups', async () => {
    const user = await ask({ certificate: await jane(ca, ['devs', 'ops']) });
    expect(user).toMatchObject({ name: 'jane', groups: ['devs', 'ops', 'system:authenticated'] });
    expect(user?.extra).toEqual({ 'authentication.kubernetes.io/credential-id': [expect.stringMatching(/^X509SHA256=[0-9a-f]{64}$/)] });
  });

  test('are recognized when TLS resumes a session', async () => {
    const certificate = await jane(ca);
    await ask({ certificate });
    expect(session).toBeDefined();
    expect(await ask({ certificate, ...(session && { session }) })).toMatchObject({ name: 'jane' });
    expect(resumed).toBe(true);
  });

  test('of another CA, for servers, expired or without a name are refused', async () => {
    expect(await ask({ certificate: await jane(otherCa) })).toBeNull();
    expect(await ask({ certificate: await servingCertificate(ca, 'jane', ['jane'], new Date()) })).toBeNull();
    const soon = { names: { dns: [], ip: [] }, usages: ['clientAuth'] as const, keyType: 'ecdsa-p256' as const };
    const ended = { ...soon, authority: ca, subject: { commonName: 'jane' }, lifetimeMs: 3_600_000, now: new Date(Date.now() - 7_200_000) };
    expect(await ask({ certificate: await issue(ended) })).toBeNull();
    expect(
      await ask({ certificate: await issue({ ...ended, subject: { commonName: '', organizations: ['devs'] }, now: new Date() }) }),
    ).toBeNull();
  });

  test('are refused once they expire, even on an open connection', async () => {
    const certificate = await jane(ca);
    world.clock.now = new Date(Date.now() + 25 * 3_600_000);
    expect(await ask({ certificate })).toBeNull();
    world.clock.now = new Date();
  });
});

describe('without a certificate', () => {
  test.each([[{}], [{ authorization: 'Basic x' }], [{ authorization: 'Bearer' }], [{ 'x-remote-user': 'admin' }]])(
    '%o is anonymous',
    async (headers) => {
      expect(await ask({ headers })).toEqual(anonymous);
    },
  );

  test('a token identifies its ServiceAccount', async () => {
    expect(await ask({ headers: bearer(tokenOf('robot')) })).toMatchObject({
      name: 'system:serviceaccount:default:robot',
      groups: ['system:serviceaccounts', 'system:serviceaccounts:default', 'system:authenticated'],
    });
  });

  test('a wrong token is refused', async () => {
    expect(await ask({ headers: bearer('x') })).toBeNull();
  });
});

test('a valid certificate precedes a token, and a valid token an invalid certificate', async () => {
  expect(await ask({ certificate: await jane(ca), headers: bearer('x') })).toMatchObject({ name: 'jane' });
  expect(await ask({ certificate: await jane(otherCa), headers: bearer(tokenOf('robot')) })).toMatchObject({
    name: 'system:serviceaccount:default:robot',
  });
});
