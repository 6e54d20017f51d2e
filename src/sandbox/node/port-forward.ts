import type { IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { refuseUpgrade } from './refuse-upgrade.ts';
import { type PodOnNode, portHere } from './registry.ts';

// Of the ways in which clients ask a kubelet to forward ports (k8s.io/cri-streaming/pkg/streaming/portforward) the one of apisvc: a WebSocket with two channels for each port.
// kubectl speaks SPDY.
const channels = 'v4.channel.k8s.io';

const webSockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });

/** Takes over a connection on which a port-forward to the pod is asked for. */
export function upgradeToForward(pod: PodOnNode, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  socket.on('error', () => socket.destroy());
  const ports = portsIn(request);
  if (request.headers['sec-websocket-protocol']?.trim() !== channels) {
    refuseUpgrade(
      socket,
      '501 Not Implemented',
      `port-forward in apisvc sandbox is by WebSocket with ${channels} alone, which kubectl does not speak`,
    );
  } else if (!ports) {
    refuseUpgrade(socket, '400 Bad Request', 'query parameter "port" is required');
  } else {
    webSockets.handleUpgrade(request, socket, head, (opened) => {
      opened.on('error', () => opened.terminate());
      forwardChannels(pod, opened, ports);
    });
  }
}

/** @returns undefined when none is named, or something that is no port */
function portsIn({ url = '/' }: IncomingMessage): number[] | undefined {
  const ports = new URL(url, 'http://kubelet').searchParams
    .getAll('port')
    .flatMap((each) => each.split(','))
    .map(Number);
  return ports.length > 0 && ports.every((port) => Number.isInteger(port) && port > 0 && port < 65_536) ? ports : undefined;
}

/** Channel 2n is the data of a port, 2n + 1 its errors; both begin with the port, 16 bits little endian (websocket.go, handleWebSocketStreams). */
function forwardChannels(pod: PodOnNode, opened: WebSocket, ports: readonly number[]): void {
  const open = new Set(ports.keys());
  const targets = ports.map((port, index) => {
    const say = (channel: number, bytes: Buffer, done?: () => void): void =>
      opened.send(Buffer.concat([Buffer.of(index * 2 + channel), bytes]), done);
    const announced = Buffer.alloc(2);
    announced.writeUInt16LE(port);
    say(0, announced);
    say(1, announced);
    const target = dial(pod, port, (words) => say(1, Buffer.from(words)));
    target.on('data', (bytes) => {
      target.pause();
      say(0, bytes, () => target.resume());
    });
    target.once('close', () => {
      open.delete(index);
      if (open.size === 0) opened.close(1000);
    });
    return target;
  });
  opened.on('message', (message: Buffer) => {
    const target = targets[(message[0] ?? 0) / 2];
    if (!target || target.write(message.subarray(1))) return;
    opened.pause();
    target.once('drain', () => opened.resume());
  });
  opened.once('close', () => targets.forEach((target) => void target.destroy()));
}

/** Connects to a port of the pod, which is this machine's own. @param onError told why that ended, in the words of a kubelet */
function dial({ object, ...pod }: PodOnNode, port: number, onError: (words: string) => void): Socket {
  const { name, uid } = object.metadata;
  const here = portHere({ object, ...pod }, port);
  const socket = connect({ host: '127.0.0.1', port: here, noDelay: true, allowHalfOpen: true });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    const why =
      error.code === 'ECONNREFUSED'
        ? `failed to connect to localhost:${port}: dial tcp4 127.0.0.1:${here}: connect: connection refused`
        : error.code === 'ECONNRESET'
          ? `read tcp4 127.0.0.1:${here}: read: connection reset by peer`
          : error.message;
    onError(`error forwarding port ${port} to pod ${name}, uid ${uid}: ${why}`);
  });
  return socket;
}
