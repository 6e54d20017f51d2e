import type http from 'node:http';
import { WebSocket } from 'ws';

/**
 * The largest accepted message. Those of a port-forward are at most one buffer of io.Copy, 32 KiB.
 */
const maxMessageBytes = 1024 * 1024;

/** Options of `openWebSocket`. */
export interface WebSocketRequest {
  readonly url: URL;
  readonly protocol: string;
  readonly agent: http.Agent;
  readonly headers: http.OutgoingHttpHeaders;
  /** Ends the attempt, but not an open WebSocket. */
  readonly signal: AbortSignal;
  /** Gets the request before it is sent. */
  readonly onRequest: (request: http.ClientRequest) => void;
}

/**
 * Opens a WebSocket (RFC 6455) with one subprotocol.
 * @returns the WebSocket, paused so that no message is lost before the caller listens; or the
 * response of a server that does not upgrade the connection
 * @throws the error of the connection, or the AbortError of the signal
 */
export function openWebSocket({
  url,
  protocol,
  agent,
  headers,
  signal,
  onRequest,
}: WebSocketRequest): Promise<WebSocket | http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    const finishRequest = (request: http.ClientRequest): void => {
      onRequest(request);
      request.end();
    };
    const options = { agent, headers: { ...headers }, signal, perMessageDeflate: false, maxPayload: maxMessageBytes, finishRequest };
    const socket = new WebSocket(url, protocol, options);
    socket.once('open', () => {
      socket.pause();
      resolve(socket);
    });
    socket.once('unexpected-response', (_, response) => resolve(response));
    socket.on('error', reject);
  });
}
