import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Made } from '../../unit/pki/certificates.ts';
import { type Backend, resourceList, type ServingPair, serveHttps } from '../harness/backends.ts';
import { makeCa, makeLeaf, pair, pem } from '../harness/certificates.ts';
import { kubectl } from '../harness/commands.ts';
import { codesOf, kubectlOk, verifyJson } from '../harness/projects.ts';
import {
  apiServiceNameOf,
  conditions,
  deleteApiServices,
  failedWith,
  groupOf,
  type HandMade,
  handMade,
  passed,
} from '../harness/registrations.ts';
import { conditionMs, expectFindings, type Fault, type PerVersion, triedFaults, type VerifyOptions, valueFor } from './expect-findings.ts';
import { hasClientCertificate, serveRequests } from './odd-servers.ts';

/**
 * Faults of registrations with small servers on the host, which behave as a real extension API
 * server never does.
 */

/** What replaces the valid parts of a registration. */
export type Change = Omit<HandMade, 'namespace' | 'service' | 'ca'> & {
  readonly ca?: Made;
  readonly without?: readonly ('service' | 'slice')[];
};

export interface HandMadeFault extends Fault {
  /**
   * The Available condition of kube-apiserver: status, reason and message. Undefined if it sets
   * none.
   */
  readonly condition: PerVersion<RegExp | undefined>;
  readonly make: (service: string, bench: Bench) => Promise<Change>;
  /**
   * Changes the APIService with this name after kube-apiserver set the condition, before verify
   * runs.
   */
  readonly beforeVerify?: (apiService: string) => Promise<unknown>;
  readonly options?: VerifyOptions;
  /** The name of the APIService, if its group is not that of the Service. */
  readonly apiService?: string;
}

const nameOf = ({ name, apiService = apiServiceNameOf(name) }: HandMadeFault): string => apiService;

/** Creates the faults of one spec file. */
export interface Bench {
  /** The CA of every caBundle, unless a fault changes it. */
  readonly ca: Made;
  /** The host name that kube-apiserver verifies for a Service. */
  hostOf(service: string): string;
  /** Stops a server after the specs. @returns its port */
  keep(starting: Promise<Backend>): Promise<number>;
  /**
   * Serves the group of a Service with a certificate and a reply, by default valid ones.
   * @returns the port
   */
  serve(service: string, serving?: ServingPair, reply?: Parameters<typeof serveHttps>[1]): Promise<number>;
}

/**
 * The reply of a valid server to every request: its discovery document, and the list of its OpenAPI
 * documents. Without the latter, the API has no OpenAPI schema two minutes later.
 */
export const validReply = (service: string) => ({ body: withOpenApi(service, resourceList(`${groupOf(service)}/v1`, 'things')) });

/** Adds the list of the OpenAPI documents of a Service to what its server replies. */
export const withOpenApi = (service: string, body: object): object => ({ ...body, ...openApiPaths(`${groupOf(service)}/v1`) });

/** A server that answers by the request. By default as a valid server. */
export const answering =
  (answer: (request: IncomingMessage, response: ServerResponse) => unknown): HandMadeFault['make'] =>
  async (name, bench) => ({ port: await serveAnswers(name, bench, answer) });

/**
 * Serves the group of a Service. A request without a client certificate gets status 401.
 * @param answer returns whether it answers the request
 * @returns the port
 */
export async function serveAnswers(
  name: string,
  bench: Bench,
  answer: (request: IncomingMessage, response: ServerResponse) => unknown,
): Promise<number> {
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    if (!hasClientCertificate(request.socket)) ends(response, 401);
    else if (!answer(request, response)) response.end(JSON.stringify(documentAt(request.url, `${groupOf(name)}/v1`)));
  };
  return bench.keep(serveRequests(await servingPair(name, bench), listener));
}

/**
 * The list of OpenAPI documents, or the discovery document. Without the former, the API has no
 * OpenAPI schema two minutes later.
 */
const documentAt = (path: string | undefined, groupVersion: string): object =>
  path === '/openapi/v3' ? openApiPaths(groupVersion) : resourceList(groupVersion, 'things');

/**
 * A list with the OpenAPI document of one group and version (k8s.io/kube-openapi/pkg/handler3,
 * OpenAPIV3Discovery).
 */
export const openApiPaths = (groupVersion: string): object => ({
  paths: { [`apis/${groupVersion}`]: { serverRelativeURL: `/openapi/v3/apis/${groupVersion}?hash=1` } },
});

/** A valid serving certificate for a Service. */
export const servingPair = async (name: string, { hostOf, ca }: Bench): Promise<ServingPair> => pair(await makeLeaf(hostOf(name), ca));

/** Ends a response without a body. */
export const ends = (response: ServerResponse, status: number, headers: Record<string, string> = {}) =>
  response.writeHead(status, headers).end();

/** A caBundle with this text. */
export const caBundle = (text: string) => ({ apiServiceSpec: { caBundle: Buffer.from(text).toString('base64') } });

/**
 * Since 1.37, the availability controller of kube-apiserver verifies the certificate. Before, it
 * does not.
 */
export const failedTls = (words: string): PerVersion<RegExp> => ({ '1.37': failedWith(words), '1.35': passed });

/** Creates all faults at once in a separate namespace, and verifies them one by one. */
export function describeFaults(namespace: string, all: readonly HandMadeFault[]): void {
  const faults = triedFaults(all);
  describe(`${namespace}: one fault gives one finding`, () => {
    const backends: Backend[] = [];
    const known = withCondition(faults);

    beforeAll(async () => {
      const bench = await benchOf(namespace, backends);
      const items = (await Promise.all(faults.map((fault) => objectsOf(namespace, fault, bench)))).flat();
      await kubectlOk(['create', 'namespace', namespace]);
      await kubectlOk(['create', '-f', '-'], { apiVersion: 'v1', kind: 'List', items });
      const written = async () => expect([...(await conditions()).keys()]).toEqual(expect.arrayContaining(known));
      await vi.waitFor(written, { timeout: conditionMs, interval: 500 });
      await waitForForwarding(faults);
    });

    afterAll(async () => {
      await deleteApiServices(...faults.map(nameOf));
      await kubectl(['delete', 'namespace', namespace, '--wait=false']);
      await Promise.all(backends.map((backend) => backend.stop()));
    });

    test.each(faults)('$name: $codes', async (fault) => {
      const condition = valueFor(fault.condition) ?? /^none$/;
      const isSet = async () => expect((await conditions()).get(nameOf(fault)) ?? 'none').toMatch(condition);
      // The first message may be about a Service that was not ready yet.
      await vi.waitFor(isSet, { timeout: conditionMs, interval: 500 });
      await fault.beforeVerify?.(nameOf(fault));
      // What is changed now may change the condition.
      const read = fault.beforeVerify ? {} : { condition };
      await expectFindings(fault, nameOf(fault), { ...read, ...fault.options });
    });
  });
}

/** The APIServices that kube-apiserver must set a condition for. */
const withCondition = (faults: readonly HandMadeFault[]): string[] => faults.filter(({ condition }) => valueFor(condition)).map(nameOf);

/**
 * Waits until kube-apiserver forwards requests to available APIs. It starts only after it observes
 * its own condition.
 */
async function waitForForwarding(faults: readonly HandMadeFault[]): Promise<void> {
  const names = faults.filter(({ condition }) => valueFor(condition) === passed).map(nameOf);
  if (names.length === 0) return;
  const forwarded = async () => expect(codesOf((await verifyJson(names)).diagnosis)).not.toContain('control-plane/flapping');
  await vi.waitFor(forwarded, { timeout: conditionMs, interval: 500 });
}

async function benchOf(namespace: string, backends: Backend[]): Promise<Bench> {
  const ca = await makeCa(`${namespace} CA`);
  const hostOf = (service: string): string => `${service}.${namespace}.svc`;
  const keep = async (starting: Promise<Backend>): Promise<number> => {
    const backend = await starting;
    backends.push(backend);
    return backend.port;
  };
  const serve: Bench['serve'] = async (service, serving, reply = validReply(service)) =>
    keep(serveHttps(serving ?? pair(await makeLeaf(hostOf(service), ca)), reply));
  return { ca, hostOf, keep, serve };
}

async function objectsOf(namespace: string, { name, make, apiService }: HandMadeFault, bench: Bench): Promise<object[]> {
  const { ca: trusted = bench.ca, without = [], ...change } = await make(name, bench);
  const objects = handMade({ namespace, service: name, ca: pem(trusted), ...change });
  if (apiService !== undefined) objects.apiService.metadata.name = apiService;
  return Object.entries(objects).flatMap(([part, object]) => ((without as readonly string[]).includes(part) ? [] : [object]));
}
