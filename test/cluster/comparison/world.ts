import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { refOf } from '../../../src/cluster/objects.ts';
import { resourcePath } from '../../../src/cluster/resources.ts';
import type { KubeObject } from '../../../src/manifests/types.ts';
import { type ControlPlaneFiles, clientCertificate, readAuthority } from '../../../src/sandbox/shared/credentials.ts';
import type { Made } from '../../unit/pki/certificates.ts';
import { type Backend, type ServingPair, serveHttps } from '../harness/backends.ts';
import type { KubernetesVersion } from '../harness/cells.ts';
import { makeCa, makeLeaf, pair, pem } from '../harness/certificates.ts';
import { apiServiceNameOf, handMade } from '../harness/registrations.ts';
import { type Change, validReply } from '../laboratory/hand-made.ts';
import { type Answer, type Client, createClient } from './client.ts';
import { createObserver, type Observed } from './observer.ts';
import { until } from './until.ts';

/** A control plane, real or simulated. */
export interface Target {
  readonly engine: 'real' | 'simulated';
  readonly kubernetes: KubernetesVersion;
  /** URL. */
  readonly server: string;
  readonly files: Pick<ControlPlaneFiles, 'ca'>;
  /** An address of this host that an EndpointSlice may contain. */
  readonly host: string;
}

/**
 * No server listens there. A free port might be taken by the server of another step.
 */
export const unservedPort = 1;

/**
 * kube-apiserver acts on an APIService at once. Its watches must have received the Service and the
 * EndpointSlice by then.
 */
const watchMs = 1_000;

/** The namespace of all steps. */
export const namespace = 'comparison';

/** The environment of a step. Objects that are named after the step are its own. */
export interface World {
  /** Of the step and its objects. */
  readonly name: string;
  readonly host: string;
  /** `register` trusts it by default. */
  readonly ca: Made;
  /** Authenticates as an administrator. */
  readonly admin: Client;
  /** Authenticates with a client certificate. */
  user(name: string, ...groups: readonly string[]): Promise<Client>;
  /** Authenticates with a token; anonymous without one. */
  bearer(token?: string): Client;
  /**
   * Creates objects as the administrator. Cluster-scoped ones are deleted after the step.
   * @returns the stored objects
   */
  // biome-ignore lint/suspicious/noExplicitAny: JSON.
  create(...objects: readonly KubeObject[]): Promise<any[]>;
  /** Deletes this path after the step. */
  afterwards(path: string): void;
  /** Stops a server after the step. @returns its port */
  keep(starting: Promise<Backend>): Promise<number>;
  /** A valid serving certificate for the Service of the step. */
  certificate(): Promise<ServingPair>;
  /** Serves the group of the step; valid by default. @returns the port */
  serve(serving?: ServingPair, reply?: Parameters<typeof serveHttps>[1]): Promise<number>;
  /**
   * Registers a server by hand; valid unless `change` breaks it.
   * @returns the answer for the APIService
   */
  register(change: Change): Promise<Answer>;
  /** Waits until the state of the APIService is stable. */
  settled(): Promise<Observed>;
}

export interface OpenWorld {
  /** Runs a step in a new world, and cleans up. */
  run<T>(name: string, step: (world: World) => Promise<T>): Promise<T>;
  /** Closes all connections, and deletes the namespace without waiting. */
  close(): Promise<void>;
}

/** Connects, and creates the namespace. */
export async function openWorld(target: Target): Promise<OpenWorld> {
  const { server, files, host } = target;
  const clusterCa = await readFile(files.ca.cert, 'utf8');
  const authority = await readAuthority(files.ca);
  const ca = await makeCa('comparison CA');
  const closing: (() => void)[] = [];
  const connect = (credentials: Parameters<typeof createClient>[2]): Client => {
    const { client, close } = createClient(server, clusterCa, credentials);
    closing.push(close);
    return client;
  };
  const user = async (name: string, ...groups: readonly string[]): Promise<Client> => {
    const { certificates, key } = await clientCertificate(authority, name, groups, new Date());
    return connect({ cert: certificates, key: key.reveal() });
  };
  const admin = await user('admin', 'system:masters');
  const observer = createObserver(admin);
  const bearer: World['bearer'] = (token) => connect(token === undefined ? {} : { token });
  const shared = { host, ca, admin, user, bearer };
  // A previous namespace may still be terminating.
  await expectStatus(
    201,
    until(() => admin.ask('POST', '/api/v1/namespaces', { body: { metadata: { name: namespace } } }), 409),
  );
  // A controller creates it; no Pod is admitted without it.
  await until(() => admin.ask('GET', `/api/v1/namespaces/${namespace}/serviceaccounts/default`), 404);

  return {
    run: async (name, step) => {
      const ends: (() => Promise<unknown>)[] = [];
      try {
        return await step({ ...shared, ...ownThings(name, shared, ends), settled: () => observer.settled(apiServiceNameOf(name)) });
      } finally {
        for (const end of ends.toReversed()) await end();
      }
    },
    close: async () => {
      await observer.stop();
      await admin.ask('DELETE', `/api/v1/namespaces/${namespace}`);
      for (const close of closing) close();
    },
  };
}

type Own = 'name' | 'create' | 'afterwards' | 'keep' | 'certificate' | 'serve' | 'register';

function ownThings(
  name: string,
  { admin, host, ca }: Pick<World, 'admin' | 'host' | 'ca'>,
  ends: (() => Promise<unknown>)[],
): Pick<World, Own> {
  const afterwards: World['afterwards'] = (path) => void ends.push(() => admin.ask('DELETE', path));
  const create: World['create'] = async (...objects) => {
    const created: unknown[] = [];
    for (const object of objects) {
      const { resource, namespace, name } = refOf(object);
      created.push((await expectStatus(201, admin.ask('POST', resourcePath(resource, namespace), { body: object }))).body);
      if (!resource.namespaced) afterwards(resourcePath(resource, namespace, name));
    }
    return created;
  };
  const keep: World['keep'] = async (starting) => {
    const backend = await starting;
    ends.push(() => backend.stop());
    return backend.port;
  };
  const certificate = async (): Promise<ServingPair> => pair(await makeLeaf(`${name}.${namespace}.svc`, ca));
  return {
    name,
    afterwards,
    create,
    keep,
    certificate,
    serve: async (serving, reply = validReply(name)) => keep(serveHttps(serving ?? (await certificate()), reply, 0, host)),
    register: async ({ ca: trusted = ca, without = [], ...change }) => {
      const { service, slice, apiService } = handMade({ namespace, service: name, ca: pem(trusted), host, ...change });
      if (!without.includes('service')) await create(service);
      if (!without.includes('slice')) await create(slice);
      await sleep(watchMs);
      afterwards(resourcePath(refOf(apiService).resource, undefined, apiService.metadata.name));
      return admin.ask('POST', '/apis/apiregistration.k8s.io/v1/apiservices', { body: apiService });
    },
  };
}

/** @throws Error with the answer when it has another status */
export async function expectStatus(status: number, answering: Promise<Answer>): Promise<Answer> {
  const answer = await answering;
  if (answer.status !== status)
    throw new Error(`${status} was expected, but the answer is ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer;
}
