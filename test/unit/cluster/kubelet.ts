import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { onTestFinished } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';

/**
 * A server on loopback that forwards ports as kube-apiserver and a kubelet do together
 * (k8s.io/cri-streaming/pkg/streaming/portforward/websocket.go).
 */

export interface ForwardRequest {
  readonly path: string;
  readonly port: number;
  readonly headers: http.IncomingHttpHeaders;
}

type Forwarder = (socket: WebSocket, request: ForwardRequest) => void;

/**
 * Starts a server that accepts WebSockets. It stops with the test.
 * @param answer for the other requests
 */
export async function serveWebSockets(
  forward: Forwarder,
  answer?: http.RequestListener,
): Promise<{ readonly url: string; readonly open: ReadonlySet<WebSocket> }> {
  const upgrades = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  const url = await serveUpgrades(
    (request, socket, head) =>
      upgrades.handleUpgrade(request, socket, head, (webSocket) => {
        const { pathname, searchParams } = new URL(request.url ?? '', 'http://kubelet');
        forward(webSocket, { path: pathname, port: Number(searchParams.get('ports')), headers: request.headers });
      }),
    answer,
  );
  onTestFinished(() => {
    for (const client of upgrades.clients) client.terminate();
  });
  return { url, open: upgrades.clients };
}

/** Starts a server whose upgrades the test handles. */
export async function serveUpgrades(
  upgrade: (request: http.IncomingMessage, socket: Duplex, head: Buffer) => void,
  answer: http.RequestListener = (_, response) => response.writeHead(500).end(),
): Promise<string> {
  const server = http.createServer(answer);
  const sockets = new Set<Duplex>();
  server.on('connection', (socket) => sockets.add(socket.on('error', () => {})));
  server.on('upgrade', upgrade);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(() => resolve()));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The first bytes of both channels: the port, little endian. */
export const announce = (socket: WebSocket, port: number): void => {
  for (const channel of [0, 1]) socket.send(Buffer.of(channel, port & 0xff, port >> 8));
};

export const sendData = (socket: WebSocket, data: Buffer): void => socket.send(Buffer.concat([Buffer.of(0), data]));

export const sendError = (socket: WebSocket, text: string): void => socket.send(Buffer.concat([Buffer.of(1), Buffer.from(text)]));

/** A healthy kubelet: connects to localhost and forwards the bytes. */
export const forwardToLoopback: Forwarder = (socket, { port }) => {
  announce(socket, port);
  const inPod = net.connect(port, '127.0.0.1');
  // The message of containerd.
  inPod.on('error', ({ message }) =>
    sendError(
      socket,
      `error forwarding port ${port} to pod 4f1c, uid : failed to connect to localhost:${port}: ${message.replace('ECONNREFUSED', 'connection refused')}`,
    ),
  );
  inPod.on('data', (data) => sendData(socket, data));
  inPod.on('end', () => socket.close(1000));
  socket.on('message', (message: Buffer) => inPod.write(message.subarray(1)));
  socket.on('close', () => inPod.destroy());
};
