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
import { conditionMs, expectFindings, type Fault, type Looking, of, type PerVersion } from './expect-findings.ts';

/**
 * Faults of registrations that point at small servers on the host, for what a real extension API
 * server never does.
 */

/** What a registration has instead of the sound part. */
export type Change = Omit<HandMade, 'namespace' | 'service' | 'ca'> & {
  readonly ca?: Made;
  readonly without?: readonly ('service' | 'slice')[];
};

export interface HandMadeFault extends Fault {
  /**
   * What kube-apiserver itself says: status, reason and message of the Available condition;
   * undefined where it writes none.
   */
  readonly condition: PerVersion<RegExp | undefined>;
  readonly make: (service: string, bench: Bench) => Promise<Change>;
  /**
   * What happens to the APIService of this name once kube-apiserver has said so, before verify
   * looks.
   */
  readonly beforeLooking?: (apiService: string) => Promise<unknown>;
  readonly looking?: Looking;
}

/** Where the faults of one spec file are made. */
export interface Bench {
  /** The CA that every caBundle holds unless a fault says otherwise. */
  readonly ca: Made;
  /** The name that kube-apiserver asks the server of a Service for. */
  hostOf(service: string): string;
  /** Keeps a server until the specs have ended. @returns its port */
  keep(starting: Promise<Backend>): Promise<number>;
  /**
   * Serves the group of a Service with a certificate and a reply; both sound without further words.
   * @returns the port
   */
  serve(service: string, serving?: ServingPair, reply?: Parameters<typeof serveHttps>[1]): Promise<number>;
}

/** What a sound server says. */
export const sound = (service: string) => ({ body: resourceList(`${groupOf(service)}/v1`, 'things') });

/** Puts a text into the caBundle. */
export const caBundle = (text: string) => ({ apiServiceSpec: { caBundle: Buffer.from(text).toString('base64') } });

/**
 * Only since 1.37 does kube-apiserver verify the certificate when it asks whether a server is
 * available.
 */
export const failedTls = (words: string): PerVersion<RegExp> => ({ '1.37': failedWith(words), '1.35': passed });

/** Makes all faults at once in a namespace of their own, and looks at them one by one. */
export function describeFaults(namespace: string, faults: readonly HandMadeFault[]): void {
  describe(`${namespace}: one fault gives one finding`, () => {
    const backends: Backend[] = [];
    const known = awaited(faults);

    beforeAll(async () => {
      const bench = await benchOf(namespace, backends);
      const items = (await Promise.all(faults.map((fault) => objectsOf(namespace, fault, bench)))).flat();
      await kubectlOk(['create', 'namespace', namespace]);
      await kubectlOk(['create', '-f', '-'], { apiVersion: 'v1', kind: 'List', items });
      const written = async () => expect([...(await conditions()).keys()]).toEqual(expect.arrayContaining(known));
      await vi.waitFor(written, { timeout: conditionMs, interval: 500 });
      await followed(faults);
    });

    afterAll(async () => {
      await deleteApiServices(...faults.map(({ name }) => apiServiceNameOf(name)));
      await kubectl(['delete', 'namespace', namespace, '--wait=false']);
      await Promise.all(backends.map((backend) => backend.stop()));
    });

    test.each(faults)('$name: $codes', async (fault) => {
      const condition = of(fault.condition) ?? /^undefined$/;
      const said = async () => expect(String((await conditions()).get(apiServiceNameOf(fault.name)))).toMatch(condition);
      // The first words may be those of a way to the Service that was not ready yet.
      await vi.waitFor(said, { timeout: conditionMs, interval: 500 });
      await fault.beforeLooking?.(apiServiceNameOf(fault.name));
      await expectFindings(fault, apiServiceNameOf(fault.name), fault.looking);
    });
  });
}

/** The APIServices of which kube-apiserver is to say something. */
const awaited = (faults: readonly HandMadeFault[]): string[] =>
  faults.filter(({ condition }) => of(condition)).map(({ name }) => apiServiceNameOf(name));

/**
 * Waits until requests are passed on to what is Available: kube-apiserver begins with it only after
 * it has read its own condition.
 */
async function followed(faults: readonly HandMadeFault[]): Promise<void> {
  const names = faults.filter(({ condition }) => of(condition) === passed).map(({ name }) => apiServiceNameOf(name));
  if (names.length === 0) return;
  const passedOn = async () => expect(codesOf((await verifyJson(names)).diagnosis)).not.toContain('control-plane/flapping');
  await vi.waitFor(passedOn, { timeout: conditionMs, interval: 500 });
}

async function benchOf(namespace: string, backends: Backend[]): Promise<Bench> {
  const ca = await makeCa(`${namespace} CA`);
  const hostOf = (service: string): string => `${service}.${namespace}.svc`;
  const keep = async (starting: Promise<Backend>): Promise<number> => {
    const backend = await starting;
    backends.push(backend);
    return backend.port;
  };
  const serve: Bench['serve'] = async (service, serving, reply = sound(service)) =>
    keep(serveHttps(serving ?? pair(await makeLeaf(hostOf(service), ca)), reply));
  return { ca, hostOf, keep, serve };
}

async function objectsOf(namespace: string, { name, make }: HandMadeFault, bench: Bench): Promise<object[]> {
  const { ca: trusted = bench.ca, without = [], ...change } = await make(name, bench);
  const objects = handMade({ namespace, service: name, ca: pem(trusted), ...change });
  return Object.entries(objects).flatMap(([part, object]) => ((without as readonly string[]).includes(part) ? [] : [object]));
}
