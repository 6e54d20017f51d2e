import http from 'node:http';
import type { Duplex } from 'node:stream';
import tls from 'node:tls';
import { ClusterError } from '../errors.ts';
import type { Answer, Cluster } from './cluster.ts';
import type { EndpointTarget } from './dial.ts';
import { connectionFault, Unreachable } from './faults.ts';
import type { Via } from './handshake.ts';
import { forwardPort } from './port-forward.ts';
import { asStranger } from './tls-handshake.ts';

/** An endpoint, and the way that led to it. */
export interface ReachedEndpoint extends EndpointTarget {
  readonly via: Via;
}

/** One GET of nobody: no client certificate, no token. */
export interface StrangerRequest {
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Milliseconds from the request to the end of its answer, connecting included. */
  readonly timeoutMs: number;
}

/** A connection to one endpoint past kube-apiserver, opened when it is needed. */
export interface EndpointClient {
  /** @throws ClusterError when no answer comes, with a time-out as its cause where that ended it; the signal's reason */
  get(request: StrangerRequest): Promise<Answer>;
  close(): void;
}

/** Nothing that a stranger is answered is worth more. */
const maxBodyBytes = 64 * 1024;

/** Speaks HTTP/1.1 over TLS with one endpoint: through its pod, or straight with its address, as its handshake was made. The certificate is not judged. */
export function endpointClient(cluster: Cluster, target: ReachedEndpoint, signal: AbortSignal): EndpointClient {
  // One connection serves request after request; a server that closes it gets another one.
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  agent.createConnection = (_, connected) => {
    open(cluster, target, signal).then(
      (socket) => connected?.(null, socket),
      (error) => connected?.(error, undefined as never),
    );
    return undefined;
  };
  const host = target.serverName;
  return {
    async get({ path, headers = {}, timeoutMs }) {
      const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
      try {
        return await exchange({
          agent,
          host,
          path,
          headers: { 'user-agent': 'apisvc', accept: 'application/json', ...headers },
          signal: limit,
        });
      } catch (cause) {
        signal.throwIfAborted();
        if (cause instanceof ClusterError) throw cause;
        const why = limit.aborted ? limit.reason : cause;
        throw new Unreachable(connectionFault(why), { cause: why });
      }
    },
    close: () => agent.destroy(),
  };
}

async function open(
  cluster: Cluster,
  { via, pod, namespace, address, port, serverName }: ReachedEndpoint,
  signal: AbortSignal,
): Promise<Duplex> {
  const stranger = asStranger(serverName);
  if (via === 'address' || pod === undefined) return tls.connect({ host: address, port, ...stranger });
  const stream = await forwardPort(cluster, { namespace, pod, port }, signal);
  const socket = tls.connect({ socket: stream, ...stranger });
  stream.on('error', (error) => socket.destroy(error));
  // It may have failed before anybody listened.
  if (stream.errored) socket.destroy(stream.errored);
  return socket;
}

function exchange(options: http.RequestOptions): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = http.request(options, (response) => {
      readBeginning(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
    });
    request.on('error', reject);
    request.end();
  });
}

/** Reads as much as is kept; a server that has more to say loses its connection. */
async function readBeginning(response: http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= maxBodyBytes) break;
  }
  return Buffer.concat(chunks).subarray(0, maxBodyBytes).toString('utf8');
}
