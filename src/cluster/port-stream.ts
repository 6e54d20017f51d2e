import { addAbortSignal, Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { ClusterError } from '../errors.ts';
import { connectionFault } from './faults.ts';

/**
 * Why a port-forward ended: because of the server in the pod (`refused`, `reset`), or before it was
 * reached.
 */
export class PortForwardFault extends ClusterError {
  constructor(
    readonly fault: 'refused' | 'reset' | 'no-forward',
    message: string,
  ) {
    super(message);
  }
}

/**
 * Normal closure (RFC 6455 section 7.4.1): the connection in the pod ended. A broken connection has
 * another code.
 */
const endedInPod = 1000;

/** Options of `portStream`. */
export interface PortStreamOptions {
  readonly port: number;
  /** Time limit in ms until the kubelet announces the port. */
  readonly timeoutMs: number;
  /** Ends the stream. */
  readonly signal: AbortSignal;
}

/**
 * Makes a stream of a WebSocket with the protocol `v4.channel.k8s.io` and one port. The first byte
 * of each message is its channel: 0 data, 1 error. Both channels start with the number of the port.
 * Then the kubelet connects, and reports a failure on the error channel
 * (k8s.io/cri-streaming/pkg/streaming/portforward/websocket.go). The protocol has no half-close.
 * @returns the stream, once the port is announced; ending it closes the WebSocket
 * @throws PortForwardFault, which also destroys a stream that was returned; the AbortError of the
 * signal
 */
export function portStream(socket: WebSocket, { port, timeoutMs, signal }: PortStreamOptions): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const stream = duplexOver(socket);
    const fail = (fault: PortForwardFault['fault'], message: string): unknown => stream.destroy(new PortForwardFault(fault, message));
    const timer = setTimeout(() => fail('no-forward', 'no response from the kubelet: timed out'), timeoutMs);
    addAbortSignal(signal, stream);
    stream.on('error', reject);
    stream.once('close', () => clearTimeout(timer));

    let begun = false;
    const [data, error] = [afterPort(port), afterPort(port)];
    socket.on('message', (message: Buffer) => {
      if (message.length === 0) return;
      const [channel, payload] = [message[0], message.subarray(1)];
      const bytes = channel === 0 ? data(payload) : channel === 1 ? error(payload) : undefined;
      if (bytes === undefined) return fail('no-forward', 'the response does not follow the port-forward protocol of the kubelet');
      if (channel === 1) return bytes.length > 0 && fail(faultIn(bytes), messageFor(bytes));
      begun = true;
      clearTimeout(timer);
      resolve(stream);
      if (bytes.length > 0 && !stream.push(bytes)) socket.pause();
    });
    socket.on('error', (cause) => fail('no-forward', `the port-forward failed: ${connectionFault(cause)}`));
    socket.once('close', (code: number) => {
      if (begun && code === endedInPod) stream.push(null);
      else fail('no-forward', 'the port-forward failed: connection closed');
    });
    socket.resume();
  });
}

function duplexOver(socket: WebSocket): Duplex {
  const dataChannel = Buffer.of(0);
  return new Duplex({
    allowHalfOpen: false,
    read: () => socket.resume(),
    // The events `error` and `close` of the WebSocket report a failure.
    write: (chunk: Buffer, _, done) => socket.send(Buffer.concat([dataChannel, chunk]), () => done()),
    destroy: (error, done) => {
      // close() would wait up to 30 s for the other side.
      socket.terminate();
      done(error);
    },
  });
}

/**
 * Removes the port, 16 bits little endian, from the start of a channel.
 * @returns a function that returns the rest of its argument, or undefined when another port is
 * announced
 */
function afterPort(port: number): (bytes: Buffer) => Buffer | undefined {
  let expected = Buffer.alloc(2);
  expected.writeUInt16LE(port);
  return (bytes) => {
    const length = Math.min(expected.length, bytes.length);
    if (!bytes.subarray(0, length).equals(expected.subarray(0, length))) return undefined;
    expected = expected.subarray(length);
    return bytes.subarray(length);
  };
}

/** The message depends on the container runtime. All of them contain the error of the kernel. */
function faultIn(text: Buffer): PortForwardFault['fault'] {
  if (/connection refused/i.test(text.toString())) return 'refused';
  return /connection reset|broken pipe/i.test(text.toString()) ? 'reset' : 'no-forward';
}

function messageFor(text: Buffer): string {
  if (faultIn(text) === 'refused') return 'connection refused by localhost in the pod';
  if (faultIn(text) === 'reset') return 'connection reset in the pod';
  return `the kubelet failed to forward: ${text.toString().trim().split('\n')[0]?.slice(0, 300)}`;
}
