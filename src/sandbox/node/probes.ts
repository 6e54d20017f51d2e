import http from 'node:http';
import https from 'node:https';
import { connectionFault } from '../../cluster/faults.ts';
import type { Json } from './registry.ts';

/** Where the ports of a container are. */
export interface ProbeTarget {
  /** The address of the pod. */
  readonly address: string;
  /** The ports in the specification of the container. */
  readonly ports: readonly Json[];
  /** The port of this host for a port of the container. */
  readonly localPort: (port: number) => number;
}

/**
 * Runs an HTTP probe once (k8s.io/kubernetes/pkg/probe/http): certificates are not verified, and
 * 200 to 399 is success. Probes of other kinds count as passed.
 * @returns why it failed; undefined when it passed
 */
export async function runProbe({ httpGet, timeoutSeconds = 1 }: Json, target: ProbeTarget): Promise<string | undefined> {
  if (!httpGet) return undefined;
  const { address, ports, localPort } = target;
  const { port: wanted } = httpGet;
  const port = localPort(typeof wanted === 'number' ? wanted : Number(ports.find(({ name }) => name === wanted)?.containerPort ?? wanted));
  if (!(port > 0 && port < 65_536)) return `port ${wanted} not found`;
  try {
    return await get(httpGet, address, port, timeoutSeconds * 1000);
  } catch (error) {
    // A path that a request cannot have.
    return error instanceof Error ? error.message : String(error);
  }
}

function get({ scheme = 'HTTP', path = '/' }: Json, host: string, port: number, timeoutMs: number): Promise<string | undefined> {
  const transport = scheme === 'HTTPS' ? https : http;
  const headers = { 'user-agent': 'kube-probe/apisvc-sandbox' };
  const options = { host, port, path, headers, agent: false, rejectUnauthorized: false, signal: AbortSignal.timeout(timeoutMs) };
  return new Promise((resolve) => {
    const request = transport.get(options);
    request.once('response', (response) => {
      response.resume().on('error', () => {});
      const { statusCode = 0 } = response;
      resolve(statusCode >= 200 && statusCode < 400 ? undefined : `HTTP probe failed with statuscode: ${statusCode}`);
      // The body may be endless.
      request.destroy();
    });
    // Node reports an unexpected upgrade neither as a response nor as an error.
    request.once('close', () => resolve('EOF'));
    request.on('error', (error) => resolve(`Get "${scheme.toLowerCase()}://${host}:${port}${path}": ${faultOf(error)}`));
  });
}

const faultOf = (error: Error): string => (error.name === 'AbortError' ? 'context deadline exceeded' : connectionFault(error));
