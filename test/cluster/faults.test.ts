import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { ApiDiagnosis } from '../../src/verify/types.ts';
import type { Made } from '../unit/pki/certificates.ts';
import { type Backend, resourceList, type ServingPair, serveHttp, serveHttps, serveSilence, unusedPort } from './harness/backends.ts';
import { bygone, makeCa, makeLeaf, pair, pem } from './harness/certificates.ts';
import { apisvc, kubectl } from './harness/commands.ts';
import { codesOf, kubectlOk, verifyJson } from './harness/projects.ts';
import {
  apiServiceNameOf,
  conditions,
  deleteApiServices,
  failed,
  groupOf,
  type HandMade,
  handMade,
  passed,
} from './harness/registrations.ts';

const namespace = 'faults';
const hostOf = (service: string): string => `${service}.${namespace}.svc`;

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
  keep(serveHttps(serving ?? pair(await makeLeaf(hostOf(service), ca)), reply));
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
    make: async (name) => ({ port: await serve(name, pair(await makeLeaf('elsewhere.svc', ca))) }),
  },
  {
    name: 'expired-leaf',
    codes: ['cert/expired'],
    condition: failed('x509: certificate has expired'),
    make: async (name) => ({ port: await serve(name, pair(await makeLeaf(hostOf(name), ca, { when: bygone }))) }),
  },
  {
    name: 'expired-ca',
    codes: ['cert/ca-expired'],
    condition: failed('x509: certificate has expired'),
    make: async (name) => ({ port: await serve(name, pair(await makeLeaf(hostOf(name), oldCa))), ca: oldCa }),
  },
  {
    name: 'client-only',
    codes: ['cert/wrong-usage'],
    condition: failed('incompatible key usage'),
    make: async (name) => ({ port: await serve(name, pair(await makeLeaf(hostOf(name), ca, { usage: 'clientAuth' }))) }),
  },
  {
    // The certificate alone does not tell whether an intermediate is left out or the CA is another one.
    name: 'no-intermediate',
    codes: ['cert/unknown-authority'],
    condition: failed('x509: certificate signed by unknown authority'),
    make: async (name) => ({ port: await serve(name, pair(await makeLeaf(hostOf(name), intermediate))) }),
  },
  {
    name: 'whole-chain',
    codes: [],
    condition: passed,
    make: async (name) => ({ port: await serve(name, pair(await makeLeaf(hostOf(name), intermediate), intermediate)) }),
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
    make: async (name) => ({ port: await serve(name, pair(await makeLeaf('elsewhere.svc', otherCa))) }),
  },
  {
    name: 'twice-base64',
    codes: ['bundle/encoded-twice'],
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
    codes: ['bundle/der'],
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
    codes: ['discovery/server-error'],
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
    name: 'refusing',
    codes: ['auth/refused-by-server'],
    condition: failed('bad status from .*: 403'),
    make: async (name) => ({ port: await serve(name, undefined, { status: 403, body: 'Forbidden' }) }),
  },
  {
    name: 'refusing-people',
    codes: ['auth/refused-by-server'],
    condition: passed,
    make: async (name) => ({ port: await serve(name, undefined, { ...sound(name), forbids: 'admin' }) }),
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

  test('nor does it keep verify --wait from a verdict, though its last look is cut short', async () => {
    const { exitCode, stdout } = await apisvc(['verify', apiServiceNameOf('silent'), '--wait', '--timeout', '8s', '-o', 'json']);
    expect({ exitCode, codes: codesOf(JSON.parse(stdout)) }).toEqual({ exitCode: 1, codes: ['network/timeout'] });
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
