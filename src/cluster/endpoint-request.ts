import http from 'node:http';
import type { Duplex } from 'node:stream';
import tls from 'node:tls';
import { ClusterError } from '../errors.ts';
import type { Answer } from './answer.ts';
import type { Cluster } from './cluster.ts';
import type { EndpointTarget } from './dial.ts';
import { connectionFault, Unreachable } from './faults.ts';
import type { Via } from './handshake.ts';
import { forwardPort } from './port-forward.ts';
import { anonymousTls } from './tls-handshake.ts';

/** An endpoint, and how it was reached. */
export interface ReachedEndpoint extends EndpointTarget {
  readonly via: Via;
}

/** A GET without client certificate and token. */
export interface AnonymousRequest {
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Time limit in ms for the whole exchange, including the connection. */
  readonly timeoutMs: number;
}

/** A direct connection to one endpoint, opened on demand. */
export interface EndpointClient {
  /**
   * @throws ClusterError when no answer comes, with the TimeoutError as its cause after the time
   * limit; the reason of the signal
   */
  get(request: AnonymousRequest): Promise<Answer>;
  close(): void;
}

/** The most bytes of an answer that are kept. */
const maxBodyBytes = 64 * 1024;

/**
 * Speaks HTTP/1.1 over TLS with one endpoint, by the route of its handshake. Does not verify the
 * certificate.
 */
export function endpointClient(cluster: Cluster, target: ReachedEndpoint, signal: AbortSignal): EndpointClient {
  // One connection serves all requests. It is opened again when the server closes it.
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
  const tlsOptions = anonymousTls(serverName);
  if (via === 'address' || pod === undefined) return tls.connect({ host: address, port, ...tlsOptions });
  const stream = await forwardPort(cluster, { namespace, pod, port }, signal);
  const socket = tls.connect({ socket: stream, ...tlsOptions });
  stream.on('error', (error) => socket.destroy(error));
  // The stream may have failed before the listener was added.
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

/** Reads the part that is kept. Closes the connection when there is more. */
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
