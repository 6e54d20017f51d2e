import http from 'node:http';
import https from 'node:https';
import { connect } from 'node:net';
import type { Json } from './registry.ts';

/** Where the ports of a container are. */
export interface ProbeTarget {
  /** That of the pod. */
  readonly address: string;
  /** Ports of the container as its specification has them. */
  readonly ports: readonly Json[];
  /** Port of this machine that stands for one of the container. */
  readonly portHere: (port: number) => number;
}

/**
 * Looks once, as a kubelet does (k8s.io/kubernetes/pkg/probe/http, .../tcp): certificates are not verified, and an answer from 200 to 399 is a good one. Commands can't be
 * run in a container that there is none of, and gRPC is not spoken here: both count as passed.
 * @param probe of core/v1
 * @returns undefined when it is well, otherwise what was seen
 */
export async function look({ httpGet, tcpSocket, timeoutSeconds = 1 }: Json, target: ProbeTarget): Promise<string | undefined> {
  const timeoutMs = timeoutSeconds * 1000;
  const wanted = (httpGet ?? tcpSocket)?.port;
  if (wanted === undefined) return undefined;
  const port = portOf(wanted, target);
  if (!(port > 0 && port < 65_536)) return `there is no port ${wanted}`;
  try {
    return await (httpGet ? get(httpGet, port, target, timeoutMs) : dial(tcpSocket.host ?? target.address, port, timeoutMs));
  } catch (error) {
    // A path or a header that no request can have.
    return error instanceof Error ? error.message : String(error);
  }
}

/** A number, or the name of one of the container's ports. */
const portOf = (port: number | string, { ports, portHere }: ProbeTarget): number =>
  portHere(typeof port === 'number' ? port : Number(ports.find(({ name }) => name === port)?.containerPort ?? port));

function get(
  { scheme = 'HTTP', host, path = '/', httpHeaders = [] }: Json,
  port: number,
  target: ProbeTarget,
  timeoutMs: number,
): Promise<string | undefined> {
  const transport = scheme === 'HTTPS' ? https : http;
  const at = { host: host ?? target.address, port, path };
  const headers = {
    'user-agent': 'kube-probe/apisvc-sandbox',
    ...Object.fromEntries(httpHeaders.map(({ name, value }: Json) => [name, value])),
  };
  return new Promise((resolve) => {
    const request = transport.get({ ...at, headers, agent: false, rejectUnauthorized: false, signal: AbortSignal.timeout(timeoutMs) });
    request.once('response', (response) => {
      response.resume().on('error', () => {});
      const { statusCode = 0 } = response;
      resolve(statusCode >= 200 && statusCode < 400 ? undefined : `HTTP probe failed with statuscode: ${statusCode}`);
      // An endless answer is no reason to wait.
      request.destroy();
    });
    // An upgrade that nobody asked for is neither an answer nor an error.
    request.once('close', () => resolve('EOF'));
    request.on('error', (error: NodeJS.ErrnoException) => {
      const url = `${scheme.toLowerCase()}://${at.host}:${at.port}${path}`;
      resolve(`Get "${url}": ${wordsOf(error, `dial tcp ${at.host}:${at.port}`)}`);
    });
  });
}

function dial(host: string, port: number, timeoutMs: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, signal: AbortSignal.timeout(timeoutMs) });
    socket.once('connect', () => {
      socket.destroy();
      resolve(undefined);
    });
    socket.once('error', (error) => resolve(wordsOf(error, `dial tcp ${host}:${port}`)));
  });
}

/** In the words of Go, where they are known to those who read what kubelets say. */
function wordsOf(error: NodeJS.ErrnoException, dialling: string): string {
  if (error.code === 'ECONNREFUSED') return `${dialling}: connect: connection refused`;
  if (error.name === 'AbortError') return 'context deadline exceeded (Client.Timeout exceeded while awaiting headers)';
  return error.message;
}
