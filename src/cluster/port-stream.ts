import { addAbortSignal, Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { ClusterError } from '../errors.ts';
import { connectionFault } from './faults.ts';

/** What ended a port-forward: the server in the pod (`refused`, `reset`), or something on the way to it. */
export class PortForwardFault extends ClusterError {
  constructor(
    readonly fault: 'refused' | 'reset' | 'no-forward',
    message: string,
  ) {
    super(message);
  }
}

/** RFC 6455 section 7.4.1, normal closure: the kubelet has nothing more to forward. Whatever breaks on the way leaves out to say so. */
const endedInPod = 1000;

/** How to make a stream of a port-forward. */
export interface PortStreamOptions {
  readonly port: number;
  /** Milliseconds that the kubelet has to announce the port. */
  readonly timeoutMs: number;
  /** Ends the stream, whenever it is aborted. */
  readonly signal: AbortSignal;
}

/**
 * The bytes of the one port that a WebSocket of the protocol `v4.channel.k8s.io` forwards. The first byte of each message is its channel: 0 data, 1 error. Both
 * channels begin with the number of the port; the kubelet connects after that, and says on the error channel how it failed
 * (k8s.io/cri-streaming/pkg/streaming/portforward/websocket.go). The protocol has no half-close: when one side ends, all ends.
 * @returns the stream, once the port is announced; ending it closes the WebSocket
 * @throws PortForwardFault, with which a stream is destroyed as well; the signal's AbortError
 */
export function portStream(socket: WebSocket, { port, timeoutMs, signal }: PortStreamOptions): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const stream = duplexOver(socket);
    const fail = (fault: PortForwardFault['fault'], words: string): unknown => stream.destroy(new PortForwardFault(fault, words));
    const timer = setTimeout(() => fail('no-forward', 'the kubelet does not answer: timed out'), timeoutMs);
    addAbortSignal(signal, stream);
    stream.on('error', reject);
    stream.once('close', () => clearTimeout(timer));

    let begun = false;
    const [data, error] = [afterPort(port), afterPort(port)];
    socket.on('message', (message: Buffer) => {
      if (message.length === 0) return;
      const [channel, payload] = [message[0], message.subarray(1)];
      const bytes = channel === 0 ? data(payload) : channel === 1 ? error(payload) : undefined;
      if (bytes === undefined) return fail('no-forward', 'what answers does not forward ports as a kubelet does');
      if (channel === 1) return bytes.length > 0 && fail(faultIn(bytes), wordsIn(bytes));
      begun = true;
      clearTimeout(timer);
      resolve(stream);
      if (bytes.length > 0 && !stream.push(bytes)) socket.pause();
    });
    socket.on('error', (cause) => fail('no-forward', `the port-forward broke: ${connectionFault(cause)}`));
    socket.once('close', (code: number) => {
      if (begun && code === endedInPod) stream.push(null);
      else fail('no-forward', 'the port-forward broke: connection closed');
    });
    socket.resume();
  });
}

function duplexOver(socket: WebSocket): Duplex {
  const dataChannel = Buffer.of(0);
  return new Duplex({
    allowHalfOpen: false,
    read: () => socket.resume(),
    // What fails here is told by the events `error` and `close` of the WebSocket.
    write: (chunk: Buffer, _, done) => socket.send(Buffer.concat([dataChannel, chunk]), () => done()),
    destroy: (error, done) => {
      // Not close(), which waits half a minute for the other side.
      socket.terminate();
      done(error);
    },
  });
}

/** Takes the port, 16 bits little endian, off the beginning of a channel. @returns a function to the rest of what it is given, or undefined when another port is announced */
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

/** The words are those of the container runtime, so only what all of them have in common is looked for: the kernel's. */
function faultIn(text: Buffer): PortForwardFault['fault'] {
  if (/connection refused/i.test(text.toString())) return 'refused';
  return /connection reset|broken pipe/i.test(text.toString()) ? 'reset' : 'no-forward';
}

function wordsIn(text: Buffer): string {
  if (faultIn(text) === 'refused') return 'connection refused by localhost in the pod';
  if (faultIn(text) === 'reset') return 'connection reset in the pod';
  return `the kubelet does not forward: ${text.toString().trim().split('\n')[0]?.slice(0, 300)}`;
}
