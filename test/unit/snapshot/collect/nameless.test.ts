import tls from 'node:tls';
import { expect, test } from 'vitest';
import { collectContext } from '../../../../src/snapshot/collect/context.ts';
import { handshakeWithoutName, sendsServerName } from '../../../../src/snapshot/collect/nameless.ts';
import type { ApiServiceView, EndpointProbe } from '../../../../src/snapshot/types.ts';
import { answer, clusterOf, never, notFound } from '../../cluster/kube-api.ts';
import { listening, servingCertificate } from '../../cluster/listening.ts';
import { api, fails, leafCertificate, seen, serves, service, unavailable } from '../../diagnosis/snapshots.ts';

const { leaf } = await servingCertificate();

/** A server that has a certificate only for clients that send a server name. */
const bySni = () =>
  listening(
    tls.createServer({
      SNICallback: (_, use) => use(null, tls.createSecureContext({ cert: leaf.certificates, key: leaf.key.reveal() })),
    }),
  );

async function nameless(apiService: ApiServiceView, probe: EndpointProbe, version: string | undefined) {
  const cluster = await clusterOf(({ url }, response) => answer(response, 404, notFound(url)));
  const target = { ...(await bySni()), pod: undefined };
  const nothing = { state: 'absent' } as const;
  const unused = { container: undefined, endpoints: nothing, pods: nothing, server: nothing, secret: nothing, delegation: nothing };
  const backend = { ...unused, service: seen(service), probes: seen([probe]), targets: [target] };
  return handshakeWithoutName(collectContext(cluster, never), apiService, backend, Promise.resolve(version));
}

test('without a server name, the server refuses the handshake', async () => {
  expect(await nameless(unavailable('EOF'), serves(leafCertificate), 'v1.35.4')).toMatchObject({
    at: serves(leafCertificate).at,
    handshake: { kind: 'failed', fault: 'other' },
  });
  expect(await nameless(api, fails('other'), 'v1.37.2')).toMatchObject({ handshake: { kind: 'failed' } });
});

test.each([
  ['the API is Available', api, serves(leafCertificate), 'v1.35.4'],
  ['the availability check sends a server name', unavailable('EOF'), serves(leafCertificate), 'v1.36.0'],
  ['the check does not reach the server', unavailable('no', 'MissingEndpoints'), serves(leafCertificate), 'v1.35.4'],
  ['nothing listens', unavailable('refused'), fails('refused'), 'v1.35.4'],
  ['the version is not known', unavailable('tls: handshake failure'), serves(leafCertificate), undefined],
])('no handshake without a server name if %s', async (_, apiService, probe, version) => {
  expect(await nameless(apiService, probe, version)).toBeUndefined();
});

test('kube-apiserver sends the server name since 1.36', () => {
  const versions = ['v1.20.2', 'v1.35.4-gke.1', 'v1.36.0-alpha.1', 'v1.37.2', 'v2.0.0', 'unknown'];
  expect(versions.map(sendsServerName)).toEqual([false, false, true, true, true, false]);
});
