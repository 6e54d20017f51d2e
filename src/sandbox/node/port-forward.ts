import type { IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createWebSocketStream, type WebSocket, WebSocketServer } from 'ws';
import { refuseUpgrade } from './refuse-upgrade.ts';
import { type PodOnNode, portHere } from './registry.ts';
import { type SpdyStream, serveSpdy } from './spdy.ts';

// The ways in which clients ask a kubelet to forward ports (k8s.io/cri-streaming/pkg/streaming/portforward): a WebSocket with two channels for each port, as apisvc does,
// and SPDY with two streams for each connection, as kubectl does, itself in a WebSocket since 1.31.
const channels = 'v4.channel.k8s.io';
const spdyName = 'portforward.k8s.io';
const tunnelled = `SPDY/3.1+${spdyName}`;

const webSockets = new WebSocketServer({
  noServer: true,
  perMessageDeflate: false,
  handleProtocols: (offered) => [channels, tunnelled].find((each) => offered.has(each)) ?? false,
});

/** Takes over a connection on which a port-forward to the pod is asked for. */
export function upgradeToForward(pod: PodOnNode, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  socket.on('error', () => socket.destroy());
  if (/^spdy\/3\.1$/i.test(request.headers.upgrade ?? '')) {
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: SPDY/3.1\r\nx-stream-protocol-version: ${spdyName}\r\n\r\n`,
    );
    if (head.length > 0) socket.unshift(head);
    forwardSpdy(pod, socket);
    return;
  }
  const ports = portsIn(request);
  if (!ports && request.headers['sec-websocket-protocol']?.trim() !== tunnelled) {
    refuseUpgrade(socket, '400 Bad Request', 'query parameter "port" is required');
    return;
  }
  webSockets.handleUpgrade(request, socket, head, (opened) => {
    opened.on('error', () => opened.terminate());
    if (opened.protocol === tunnelled) forwardSpdy(pod, createWebSocketStream(opened));
    else forwardChannels(pod, opened, ports ?? []);
  });
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

/** Two streams that share a requestID are one connection (httpstream.go, httpStreamHandler). */
function forwardSpdy(pod: PodOnNode, connection: Duplex): void {
  const waiting = new Map<string, SpdyStream>();
  serveSpdy(connection, (stream) => {
    const { requestid: id = '', streamtype: type } = stream.headers;
    const other = waiting.get(id);
    if (!other) return void waiting.set(id, stream);
    waiting.delete(id);
    const [data, error] = type === 'data' ? [stream, other] : [other, stream];
    const target = dial(pod, Number(data.headers.port), (words) => error.end(words));
    data.pipe(target).pipe(data);
    target.once('close', () => {
      data.end();
      error.end();
    });
    data.once('close', () => target.destroy());
  });
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
