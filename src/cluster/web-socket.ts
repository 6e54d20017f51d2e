import type http from 'node:http';
import { WebSocket } from 'ws';

/** The largest message that is taken; those of a port-forward hold at most one buffer of io.Copy, 32 KiB. */
const maxMessageBytes = 1024 * 1024;

/** What a WebSocket is opened with. */
export interface WebSocketRequest {
  readonly url: URL;
  readonly protocol: string;
  readonly agent: http.Agent;
  readonly headers: http.OutgoingHttpHeaders;
  /** Ends the attempt, not the WebSocket that came of it. */
  readonly signal: AbortSignal;
}

/**
 * Opens a WebSocket (RFC 6455) with one subprotocol.
 * @returns the WebSocket, paused so that nothing is lost before somebody listens; or, when the server does not upgrade the connection, its response
 * @throws whatever breaks the connection, or the signal's AbortError
 */
export function openWebSocket({ url, protocol, agent, headers, signal }: WebSocketRequest): Promise<WebSocket | http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    const options = { agent, headers: { ...headers }, signal, perMessageDeflate: false, maxPayload: maxMessageBytes };
    const socket = new WebSocket(url, protocol, options);
    socket.once('open', () => {
      socket.pause();
      resolve(socket);
    });
    socket.once('unexpected-response', (_, response) => resolve(response));
    socket.on('error', reject);
  });
}
