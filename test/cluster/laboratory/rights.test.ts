import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Backend, serveHttps, serveSilence, unusedPort } from '../harness/backends.ts';
import { makeCa, makeLeaf, pair, pem } from '../harness/certificates.ts';
import { apisvc, kubectl } from '../harness/commands.ts';
import { codesOf, kubectlOk, verifyJson, waitForOutput } from '../harness/projects.ts';
import { apiServiceNameOf, conditions, deleteApiServices, failedWith, handMade, passed } from '../harness/registrations.ts';
import { userKubeconfig } from '../harness/users.ts';
import { conditionMs } from './expect-findings.ts';
import { validReply } from './hand-made.ts';

/** Verdicts with few permissions, and with little time. */

const namespace = 'rights';
const ca = await makeCa(`${namespace} CA`);
const backends: Backend[] = [];
const keep = async (starting: Promise<Backend>): Promise<number> => {
  const backend = await starting;
  backends.push(backend);
  return backend.port;
};
const serve = async (service: string): Promise<number> =>
  keep(serveHttps(pair(await makeLeaf(`${service}.${namespace}.svc`, ca)), validReply(service)));

const portOf: Readonly<Record<string, () => Promise<number>>> = {
  'seen-valid': () => serve('seen-valid'),
  'seen-broken': () => serve('seen-broken'),
  'seen-silent': () => keep(serveSilence()),
  'seen-stopped': unusedPort,
  'seen-late': () => serve('seen-late'),
};
const services = Object.keys(portOf);

/** What verify reads where it may read nothing else. */
const conditionOf: Readonly<Record<string, RegExp>> = {
  'seen-valid': passed,
  'seen-broken': /^False ServiceNotFound/,
  'seen-silent': failedWith('(deadline exceeded|Client\\.Timeout exceeded|timed out)'),
  'seen-stopped': failedWith('connection refused'),
  'seen-late': /^False EndpointsNotFound/,
};

const reader = { KUBECONFIG: await userKubeconfig('apiservice-reader') };
const withoutPermissions = { KUBECONFIG: await userKubeconfig('without-rights') };

/** A spec creates it later. */
let lateSlice = {};

beforeAll(async () => {
  const objects = await Promise.all(
    services.map(async (name) => {
      const { service, slice, apiService } = handMade({ namespace, service: name, port: (await portOf[name]?.()) ?? 0, ca: pem(ca) });
      if (name === 'seen-broken') return [apiService];
      if (name !== 'seen-late') return [service, slice, apiService];
      lateSlice = slice;
      return [service, apiService];
    }),
  );
  await kubectlOk(['create', 'namespace', namespace]);
  await kubectlOk(['create', '-f', '-'], { apiVersion: 'v1', kind: 'List', items: objects.flat() });
  await kubectlOk(['create', 'clusterrole', 'apiservice-reader', '--verb=get', '--resource=apiservices']);
  await kubectlOk(['create', 'clusterrolebinding', 'apiservice-reader', '--clusterrole=apiservice-reader', '--user=apiservice-reader']);
  // The first condition may be about a Service that kube-apiserver has not seen yet.
  const written = async () => {
    const found = await conditions();
    for (const name of services) expect(found.get(apiServiceNameOf(name))).toMatch(conditionOf[name] as RegExp);
  };
  await vi.waitFor(written, { timeout: conditionMs, interval: 500 });
});

afterAll(async () => {
  await deleteApiServices(...services.map(apiServiceNameOf));
  await kubectl(['delete', 'clusterrole,clusterrolebinding', 'apiservice-reader']);
  await kubectl(['delete', 'namespace', namespace, '--wait=false']);
  await Promise.all(backends.map((backend) => backend.stop()));
});

/** Verifies one APIService. */
async function verify(service: string, env: Readonly<Record<string, string>>, ...flags: string[]) {
  const { exitCode, diagnosis } = await verifyJson([apiServiceNameOf(service), ...flags], { env });
  const notChecked = diagnosis.apis.flatMap((api) => api.notChecked.map(({ what }) => what));
  return { exitCode, verdict: diagnosis.verdict, codes: codesOf(diagnosis), notChecked };
}

/** What a user that may only get APIServices cannot read. */
const hidden = [
  'the Service',
  'the EndpointSlices',
  'a list request to the API',
  'ConfigMap kube-system/extension-apiserver-authentication',
  'the other APIServices',
  'the CustomResourceDefinitions of the group',
];

describe('a user that may only get APIServices', () => {
  test('gets the verdict healthy, and what was not checked', async () => {
    const seen = await verify('seen-valid', reader);
    expect(seen).toEqual({ exitCode: 0, verdict: 'healthy', codes: [], notChecked: hidden });
  });

  test('gets the verdict unknown with --strict', async () => {
    expect(await verify('seen-valid', reader, '--strict')).toMatchObject({ exitCode: 3, verdict: 'unknown', codes: [] });
  });

  test.each([
    ['seen-broken', 'service/missing'],
    ['seen-late', 'endpoints/none'],
    ['seen-stopped', 'endpoints/connection-refused'],
  ])('gets the finding of the condition: %s', async (service, code) => {
    expect(await verify(service, reader)).toMatchObject({ exitCode: 1, verdict: 'broken', codes: [code] });
  });

  test('gets the finding of the condition: a silent server', async () => {
    const { exitCode, diagnosis } = await verifyJson([apiServiceNameOf('seen-silent')], { env: reader });
    const findings = diagnosis.apis.flatMap((api) => api.findings);
    const message = findings[0]?.evidence.join() ?? '';
    // net/http says "awaiting headers" of some connections too that it could not open.
    const isSent = /awaiting headers/.test(message) && !/while waiting for connection/.test(message);
    const code = isSent ? 'discovery/slow' : 'network/timeout';
    expect({ exitCode, codes: codesOf(diagnosis) }).toEqual({ exitCode: 1, codes: [code] });
    expect(message).toMatch(/deadline exceeded|Client\.Timeout exceeded|timed out/);
  });
});

test('a user without permissions gets the verdict unknown', async () => {
  expect(await verify('seen-broken', withoutPermissions)).toMatchObject({ exitCode: 3, verdict: 'unknown', codes: [] });
});

test('a server that never answers delays verify only until its own timeouts', async () => {
  const { exitCode, diagnosis } = await verifyJson([apiServiceNameOf('seen-silent'), '--timeout', '60s']);
  expect({ exitCode, codes: codesOf(diagnosis) }).toEqual({ exitCode: 1, codes: ['endpoints/handshake-timeout'] });
});

test('a server that never answers does not prevent a verdict of verify --wait', async () => {
  const { exitCode, stdout } = await apisvc(['verify', apiServiceNameOf('seen-silent'), '--wait', '--timeout', '30s', '-o', 'json']);
  expect({ exitCode, codes: codesOf(JSON.parse(stdout)) }).toEqual({ exitCode: 1, codes: ['endpoints/handshake-timeout'] });
});

test('verify --wait waits until an API is healthy', async () => {
  const args = ['verify', apiServiceNameOf('seen-late'), '--wait', '--timeout', '2m', '-o', 'json'];
  // kube-apiserver may be busy with a server that never answers.
  const waiting = apisvc(args, { timeout: 150_000 });
  await waitForOutput(waiting, /waiting up to 2m for .* to be healthy/);
  // Long enough for one broken result.
  await sleep(2_000);
  expect(waiting.exitCode).toBeNull();
  await kubectlOk(['create', '-f', '-'], lateSlice);
  const { exitCode, stdout } = await waiting;
  expect(exitCode).toBe(0);
  // It may answer a moment before it is Available, which is a warning.
  expect(['control-plane/stale-condition']).toEqual(expect.arrayContaining(codesOf(JSON.parse(stdout))));
});
