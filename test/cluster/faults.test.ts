import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { caConstraints, endEntityConstraints, extendedKeyUsage, keyUsage, subjectAltName } from '../../src/pki/extensions.ts';
import type { RunningProcess } from '../../src/sandbox/real/process.ts';
import type { ApiDiagnosis } from '../../src/verify/types.ts';
import { day, type Made, make } from '../unit/pki/certificates.ts';
import { type Backend, resourceList, type ServingPair, serveHttp, serveHttps, serveSilence, unusedPort } from './harness/backends.ts';
import { kubectl } from './harness/commands.ts';
import { program } from './harness/programs.ts';
import { codesOf, emptyFolder, kubectlOk, verifyJson } from './harness/projects.ts';
import { cluster } from './harness/provided.ts';
import { apiServiceNameOf, groupOf, type HandMade, handMade } from './harness/registrations.ts';
import { startProcess, startSampleApiserver } from './harness/servers.ts';
import { serviceAccountKubeconfig } from './harness/users.ts';
import { wardleAccess, wardleRegistration } from './harness/wardle.ts';

const namespace = 'faults';
const soon = { notBefore: new Date(Date.now() - day), notAfter: new Date(Date.now() + day) };
const bygone = { notBefore: new Date(Date.now() - 2 * day), notAfter: new Date(Date.now() - day) };
const caExtensions = [caConstraints(1), keyUsage('keyCertSign')];

const pem = (...chain: Made[]): string => chain.map(({ info }) => info.pem).join('');
const pair = (leaf: Made, ...intermediates: Made[]): ServingPair => ({
  certificates: pem(leaf, ...intermediates),
  key: leaf.keyPair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
});

const makeCa = (commonName: string, more: Partial<Parameters<typeof make>[0]> = {}): Promise<Made> =>
  make({ commonName, extensions: caExtensions, ...soon, ...more });

/** A serving certificate for `<service>.faults.svc`, or for another name. */
function makeLeaf(
  service: string,
  issuer: Made,
  { host = `${service}.${namespace}.svc`, usage = 'serverAuth' as const, when = soon } = {},
) {
  const names = subjectAltName({ dns: [host], ip: [] }, false);
  return make({ commonName: 'server', issuer, extensions: [endEntityConstraints(), extendedKeyUsage([usage]), names], ...when });
}

const ca = await makeCa('faults CA');
const otherCa = await makeCa('another CA');
const oldCa = await makeCa('old CA', bygone);
const intermediate = await makeCa('intermediate', { issuer: ca });

const backends: Backend[] = [];
const keep = async (starting: Promise<Backend>): Promise<number> => {
  const backend = await starting;
  backends.push(backend);
  return backend.port;
};

/** Serves the group of a Service with a certificate; sound without further words. */
const serve = async (service: string, serving?: ServingPair, reply: Parameters<typeof serveHttps>[1] = sound(service)) =>
  keep(serveHttps(serving ?? pair(await makeLeaf(service, ca)), reply));
const sound = (service: string) => ({ body: resourceList(`${groupOf(service)}/v1`, 'things') });

type Change = Omit<HandMade, 'namespace' | 'service' | 'ca'> & { readonly ca?: Made; readonly without?: readonly ('service' | 'slice')[] };

interface Fault {
  /** Also the name of the Service. */
  readonly name: string;
  /** Every root finding, in order. */
  readonly codes: readonly string[];
  /** What kube-apiserver itself says: reason and message of the Available condition; undefined where it writes none. */
  readonly condition: RegExp | undefined;
  readonly make: (service: string) => Promise<Change>;
}

const failed = (words: string): RegExp => new RegExp(`^False FailedDiscoveryCheck .*${words}`);
const passed = /^True Passed/;
const bundle = (text: string) => ({ apiServiceSpec: { caBundle: text } });
const caBase64 = Buffer.from(pem(ca)).toString('base64');
const keyPem = pair(ca).key;

const faults: readonly Fault[] = [
  { name: 'nothing-wrong', codes: [], condition: passed, make: async (name) => ({ port: await serve(name) }) },
  {
    name: 'no-service',
    codes: ['service/missing'],
    condition: /^False ServiceNotFound service\/no-service in "faults" is not present/,
    make: async (name) => ({ port: await serve(name), without: ['service', 'slice'] }),
  },
  {
    name: 'wrong-port',
    codes: ['service/port-missing'],
    condition: /^False ServicePortError .* is not listening on port 443/,
    make: async (name) => ({ port: await serve(name), servicePort: { port: 8443 } }),
  },
  {
    name: 'no-endpoints',
    codes: ['endpoints/none'],
    condition: /^False EndpointsNotFound/,
    make: async (name) => ({ port: await serve(name), without: ['slice'] }),
  },
  {
    name: 'not-ready',
    codes: ['endpoints/not-ready'],
    condition: /^False MissingEndpoints/,
    make: async (name) => ({ port: await serve(name), ready: false }),
  },
  {
    name: 'port-name',
    codes: ['endpoints/port-name-mismatch'],
    condition: /^False MissingEndpoints .*port name "https"/,
    make: async (name) => ({ port: await serve(name), servicePort: { name: 'https' }, slicePort: { name: 'web' } }),
  },
  {
    name: 'stopped',
    codes: ['endpoints/connection-refused'],
    condition: failed('connection refused'),
    make: async () => ({ port: await unusedPort() }),
  },
  {
    name: 'plain-http',
    codes: ['endpoints/not-tls'],
    condition: failed('server gave HTTP response to HTTPS client'),
    make: async (name) => ({ port: await keep(serveHttp(sound(name))) }),
  },
  {
    name: 'silent',
    codes: ['network/timeout'],
    condition: failed('(Client.Timeout exceeded|context deadline exceeded|timed out)'),
    make: async () => ({ port: await keep(serveSilence()) }),
  },
  {
    name: 'wrong-name',
    codes: ['cert/san-mismatch'],
    condition: failed('x509: certificate is valid for elsewhere.svc, not wrong-name.faults.svc'),
    make: async (name) => ({ port: await serve(name, pair(await makeLeaf(name, ca, { host: 'elsewhere.svc' }))) }),
  },
  {
    name: 'expired-leaf',
    codes: ['cert/expired'],
    condition: failed('x509: certificate has expired'),
    make: async (name) => ({ port: await serve(name, pair(await makeLeaf(name, ca, { when: bygone }))) }),
  },
  {
    name: 'expired-ca',
    codes: ['cert/ca-expired'],
    condition: failed('x509: certificate has expired'),
    make: async (name) => ({ port: await serve(name, pair(await makeLeaf(name, oldCa))), ca: oldCa }),
  },
  {
    name: 'client-only',
    codes: ['cert/wrong-usage'],
    condition: failed('incompatible key usage'),
    make: async (name) => ({ port: await serve(name, pair(await makeLeaf(name, ca, { usage: 'clientAuth' as 'serverAuth' }))) }),
  },
  {
    // The certificate alone does not tell whether an intermediate is left out or the CA is another one.
    name: 'no-intermediate',
    codes: ['cert/unknown-authority'],
    condition: failed('x509: certificate signed by unknown authority'),
    make: async (name) => ({ port: await serve(name, pair(await makeLeaf(name, intermediate))) }),
  },
  {
    name: 'whole-chain',
    codes: [],
    condition: passed,
    make: async (name) => ({ port: await serve(name, pair(await makeLeaf(name, intermediate), intermediate)) }),
  },
  {
    name: 'other-ca',
    codes: ['cert/unknown-authority'],
    condition: failed('x509: certificate signed by unknown authority'),
    make: async (name) => ({ port: await serve(name), ca: otherCa }),
  },
  {
    name: 'two-faults',
    codes: ['cert/san-mismatch', 'cert/unknown-authority'],
    condition: failed('x509: certificate is valid for elsewhere.svc, not two-faults.faults.svc'),
    make: async (name) => ({ port: await serve(name, pair(await makeLeaf(name, otherCa, { host: 'elsewhere.svc' }))) }),
  },
  {
    name: 'twice-base64',
    codes: ['bundle/unparsable'],
    condition: undefined,
    make: async (name) => ({ port: await serve(name), ...bundle(Buffer.from(caBase64).toString('base64')) }),
  },
  {
    name: 'line-end-bundle',
    codes: ['bundle/unparsable'],
    condition: undefined,
    make: async (name) => ({ port: await serve(name), ...bundle('Cg==') }),
  },
  {
    name: 'der-bundle',
    codes: ['bundle/unparsable'],
    condition: undefined,
    make: async (name) => ({ port: await serve(name), ...bundle(ca.info.pem.split('\n').slice(1, -2).join('')) }),
  },
  {
    name: 'key-only-bundle',
    codes: ['bundle/private-key'],
    condition: undefined,
    make: async (name) => ({ port: await serve(name), ...bundle(Buffer.from(keyPem).toString('base64')) }),
  },
  {
    name: 'key-in-bundle',
    codes: ['bundle/private-key'],
    condition: passed,
    make: async (name) => ({ port: await serve(name), ...bundle(Buffer.from(pem(ca) + keyPem).toString('base64')) }),
  },
  {
    name: 'empty-bundle',
    codes: ['bundle/empty'],
    condition: failed('x509: certificate signed by unknown authority'),
    make: async (name) => ({ port: await serve(name), apiServiceSpec: { caBundle: undefined } }),
  },
  {
    name: 'insecure',
    codes: ['security/insecure-skip-tls-verify'],
    condition: passed,
    make: async (name) => ({ port: await serve(name), apiServiceSpec: { caBundle: undefined, insecureSkipTLSVerify: true } }),
  },
  {
    name: 'other-group',
    codes: ['discovery/not-found'],
    condition: failed('bad status from .*: 404'),
    make: async (name) => ({ port: await serve(name, undefined, { status: 404, body: '404 page not found' }) }),
  },
  {
    name: 'failing',
    codes: ['control-plane/not-available'],
    condition: failed('bad status from .*: 500'),
    make: async (name) => ({ port: await serve(name, undefined, { status: 500, body: 'out of order' }) }),
  },
  {
    name: 'distrustful',
    codes: ['auth/proxy-not-trusted'],
    condition: failed('bad status from .*: 401'),
    make: async (name) => ({ port: await serve(name, undefined, { status: 401, body: 'Unauthorized' }) }),
  },
  {
    name: 'no-document',
    codes: ['discovery/not-a-resource-list'],
    condition: passed,
    make: async (name) => ({ port: await serve(name, undefined, { body: { hello: 'world' } }) }),
  },
  {
    name: 'no-resources',
    codes: ['discovery/no-resources'],
    condition: passed,
    make: async (name) => ({ port: await serve(name, undefined, { body: resourceList(`${groupOf(name)}/v1`) }) }),
  },
  {
    name: 'other-version',
    codes: ['discovery/wrong-group-version'],
    condition: passed,
    make: async (name) => ({ port: await serve(name, undefined, { body: resourceList(`${groupOf(name)}/v2`, 'things') }) }),
  },
];

const warningsOnly = new Set(['security/insecure-skip-tls-verify']);

async function objectsOf({ name, make }: Fault): Promise<object[]> {
  const { ca: trusted = ca, without = [], ...change } = await make(name);
  const objects = handMade({ namespace, service: name, ca: pem(trusted), ...change });
  return Object.entries(objects).flatMap(([part, object]) => ((without as readonly string[]).includes(part) ? [] : [object]));
}

/** Available conditions by name of the APIService, as `<status> <reason> <message>`. */
async function conditions(): Promise<Map<string, string>> {
  const { items } = JSON.parse(await kubectlOk(['get', 'apiservices', '-o', 'json']));
  // biome-ignore lint/suspicious/noExplicitAny: objects as kubectl prints them.
  const written = items.flatMap(({ metadata, status }: any) =>
    // biome-ignore lint/suspicious/noExplicitAny: as above.
    (status?.conditions ?? []).map((each: any) => [metadata.name, `${each.status} ${each.reason} ${each.message}`]),
  );
  return new Map(written);
}

const deleteApiServices = (...names: string[]) => kubectl(['delete', 'apiservices', '--ignore-not-found', ...names]);

describe('one fault gives one finding', () => {
  beforeAll(async () => {
    const items = (await Promise.all(faults.map(objectsOf))).flat();
    await kubectlOk(['create', 'namespace', namespace]);
    await kubectlOk(['create', '-f', '-'], { apiVersion: 'v1', kind: 'List', items });
    const awaited = faults.filter(({ condition }) => condition).map(({ name }) => apiServiceNameOf(name));
    const written = async () => expect([...(await conditions()).keys()]).toEqual(expect.arrayContaining(awaited));
    await vi.waitFor(written, { timeout: 60_000, interval: 500 });
  });

  afterAll(async () => {
    await deleteApiServices(...faults.map(({ name }) => apiServiceNameOf(name)));
    await kubectl(['delete', 'namespace', namespace, '--wait=false']);
    await Promise.all(backends.map((backend) => backend.stop()));
  });

  test.each(faults)('$name: $codes', async ({ name, codes, condition }) => {
    const said = (await conditions()).get(apiServiceNameOf(name));
    if (condition) expect(said).toMatch(condition);
    else expect(said).toBeUndefined();
    const { exitCode, diagnosis } = await verifyJson([apiServiceNameOf(name)]);
    const [api] = diagnosis.apis;
    expect({ codes: codesOf(diagnosis), notChecked: api?.notChecked }).toEqual({ codes, notChecked: [] });
    const healthy = codes.every((code) => warningsOnly.has(code));
    expect({ exitCode, verdict: diagnosis.verdict }).toEqual(
      healthy ? { exitCode: 0, verdict: 'healthy' } : { exitCode: 1, verdict: 'broken' },
    );
    expect(JSON.stringify(diagnosis)).not.toContain('PRIVATE KEY');
  });

  test('several at once are reported one by one, and the worst decides', async () => {
    const names = ['nothing-wrong', 'no-service', 'insecure'].map(apiServiceNameOf);
    const { exitCode, diagnosis } = await verifyJson(names);
    expect(diagnosis.apis.map(({ name, verdict }: ApiDiagnosis) => [name, verdict])).toEqual([
      [names[0], 'healthy'],
      [names[1], 'broken'],
      [names[2], 'healthy'],
    ]);
    expect(exitCode).toBe(1);
  });

  test('a server that never answers does not hold verify for longer than its limits', async () => {
    const started = Date.now();
    await verifyJson([apiServiceNameOf('silent')]);
    expect(Date.now() - started).toBeLessThan(12_000);
  });
});

test('an APIService that is not there', async () => {
  const { exitCode, diagnosis } = await verifyJson(['v1.missing.example.com']);
  expect({ exitCode, codes: codesOf(diagnosis) }).toEqual({ exitCode: 1, codes: ['registration/missing'] });
});

test.each(['v1.apps', 'v1.'])('an APIService that kube-apiserver serves itself is healthy: %s', async (name) => {
  const { exitCode, diagnosis } = await verifyJson([name]);
  expect({ exitCode, diagnosis }).toMatchObject({
    exitCode: 0,
    diagnosis: { verdict: 'healthy', apis: [{ findings: [], notChecked: [] }] },
  });
  expect(diagnosis.apis[0]?.facts[0]).toBe('Local: served by kube-apiserver itself');
});

describe('the real sample-apiserver', () => {
  const own = 'faults-wardle';
  const wardle = 'v1alpha1.wardle.example.com';
  const servers: RunningProcess[] = [];
  const { address } = cluster.network;
  const register = (port: number) =>
    kubectlOk(['apply', '-f', '-'], JSON.parse(wardleRegistration({ namespace: own, address, port, authority: ownAuthority })));
  const ownAuthority = { certificates: pem(ca) } as Parameters<typeof wardleRegistration>[0]['authority'];

  beforeAll(async () => {
    await kubectlOk(['apply', '-f', '-'], JSON.parse(wardleAccess(own)));
  });

  afterAll(async () => {
    await deleteApiServices(wardle);
    await kubectl(['delete', '--wait=false', '--ignore-not-found', '-f', '-'], { input: wardleAccess(own) });
    await kubectl(['delete', 'clusterrole,clusterrolebinding', `${own}:look`, '--ignore-not-found']);
    await Promise.all(servers.map((server) => server.stop()));
  });

  test('without certificate flags it serves one for localhost: two faults, both reported', async () => {
    const kubeconfig = await serviceAccountKubeconfig(own, 'apiserver');
    servers.push(
      startProcess('sample-apiserver', program(cluster.programs, 'sample-apiserver'), [
        `--etcd-servers=${cluster.etcdUrl}`,
        `--bind-address=${address}`,
        '--secure-port=8446',
        `--cert-dir=${join(emptyFolder(), 'certificates')}`,
        `--kubeconfig=${kubeconfig}`,
        `--authentication-kubeconfig=${kubeconfig}`,
        `--authorization-kubeconfig=${kubeconfig}`,
      ]),
    );
    await register(8446);
    await expect
      .poll(async () => (await conditions()).get(wardle), { timeout: 45_000 })
      .toMatch(failed('x509: certificate is valid for localhost'));
    const { exitCode, diagnosis } = await verifyJson([wardle]);
    expect({ exitCode, codes: codesOf(diagnosis) }).toEqual({ exitCode: 1, codes: ['cert/san-mismatch', 'cert/unknown-authority'] });
  });

  test('without the delegator binding it works for administrators and fails for everybody else', async () => {
    const kubeconfig = await serviceAccountKubeconfig(own, 'apiserver');
    const { certificates, key } = pair(await makeLeaf('', ca, { host: `api.${own}.svc` }));
    const folder = emptyFolder();
    const [certFile, keyFile] = [join(folder, 'tls.crt'), join(folder, 'tls.key')];
    writeFileSync(certFile, certificates);
    writeFileSync(keyFile, key, { mode: 0o600 });
    servers.push(await startSampleApiserver({ certFile, keyFile, port: 8447, kubeconfig }));
    await register(8447);
    await expect.poll(async () => (await conditions()).get(wardle), { timeout: 45_000 }).toMatch(passed);
    await kubectlOk(['create', 'clusterrole', `${own}:look`, '--verb=get', '--resource=apiservices']);
    await kubectlOk(['create', 'clusterrolebinding', `${own}:look`, `--clusterrole=${own}:look`, '--group=system:authenticated']);
    const verifyAs = (user: string) => verifyJson([wardle, '--as', user, '--as-group', 'system:authenticated']);
    expect((await verifyAs('jane')).exitCode).toBe(0);

    await kubectlOk(['delete', 'clusterrolebinding', `${own}:auth-delegator`]);
    // The server remembers for some seconds whom it has let in, so this is somebody it has not seen.
    await expect.poll(async () => codesOf((await verifyAs('john')).diagnosis), { timeout: 30_000 }).toEqual(['auth/delegator-missing']);
    expect((await verifyAs('john')).exitCode).toBe(1);
    expect((await verifyJson([wardle])).exitCode).toBe(0);
  });
});
