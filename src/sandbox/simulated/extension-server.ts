import { readFileSync } from 'node:fs';
import http from 'node:http';
import { GoError, goMessage, hostPort } from '../../cluster/go-errors.ts';
import type { UserInfo } from '../shared/identity.ts';
import { endsOf } from './forwarding.ts';
import { identityHeaders } from './proxy-headers.ts';
import type { Route } from './routes.ts';
import { createTransport, retire, rootsOf } from './transport.ts';
import type { Obj, Simulation } from './types.ts';

/** The connections of a simulation to extension API servers. */
export interface ExtensionTransports {
  /** By the spec of an APIService. @throws GoError when its caBundle has no certificate */
  of(apiService: Obj): http.Agent;
  /** Accepts any certificate (the availability probe of Kubernetes 1.35). */
  readonly unverified: http.Agent;
}

const transports = new WeakMap<Simulation, ExtensionTransports>();

/** Shared by all parts of a simulation. */
export function transportsOf(simulation: Simulation): ExtensionTransports {
  const found = transports.get(simulation) ?? createTransports(simulation);
  transports.set(simulation, found);
  return found;
}

function createTransports(simulation: Simulation): ExtensionTransports {
  const { cert, key } = simulation.files.frontProxyClient;
  const client = { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') };
  const known = new Map<string, { readonly spec: string; readonly agent: http.Agent }>();
  return {
    of({ metadata: { name }, spec: { service, caBundle, insecureSkipTLSVerify } }) {
      const spec = JSON.stringify([service, caBundle, insecureSkipTLSVerify]);
      const before = known.get(name);
      if (before?.spec === spec) return before.agent;
      const serverName = `${service.name}.${service.namespace}.svc`;
      const agent = createTransport({ serverName, client, ...(insecureSkipTLSVerify ? {} : { roots: rootsOf(caBundle) }) }, simulation);
      known.set(name, { spec, agent });
      if (before) retire(before.agent);
      return agent;
    },
    unverified: createTransport({ client }, simulation),
  };
}

/** A GET by the control plane itself. */
export interface Question {
  readonly path: string;
  readonly as: Pick<UserInfo, 'name' | 'groups'>;
  readonly accept?: string;
  /** Milliseconds for the whole answer. */
  readonly limitMs: number;
}

/** @returns the answer, of any status; its body must be read or resumed @throws GoError */
export function ask(agent: http.Agent, route: Route, { path, as, accept, limitMs }: Question): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = { ...identityHeaders({ ...as, extra: {} }), ...(accept === undefined ? {} : { accept }) };
    const request = http.request({ agent, ...route, path, headers: { ...headers, host: hostPort(route.host, route.port) } });
    const ends = endsOf(request, route);
    let connected = false;
    const expire = (): void => {
      // A request without a connection emits nothing when it is destroyed.
      reject(new GoError(clientTimeout(connected)));
      request.destroy();
    };
    const timer = setTimeout(expire, limitMs);
    request.once('socket', () => {
      connected = true;
    });
    request.once('close', () => {
      clearTimeout(timer);
      // An unrequested upgrade is neither an answer nor an error.
      reject(new GoError('EOF'));
    });
    // The reader of the body gets its errors too.
    request.on('response', (response) => resolve(response.on('error', () => {})));
    request.on('error', (error) => reject(new GoError(goMessage(error, ends()))));
    request.end();
  });
}

/** net/http, Client.Timeout. */
const clientTimeout = (connected: boolean): string =>
  `${connected ? 'context deadline exceeded' : 'net/http: request canceled while waiting for connection'} (Client.Timeout exceeded while awaiting headers)`;
