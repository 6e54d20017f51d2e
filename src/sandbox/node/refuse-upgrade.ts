import type { Duplex } from 'node:stream';

/** Answers a request for another protocol in plain HTTP. @param status with its words */
export const refuseUpgrade = (socket: Duplex, status: string, text: string): unknown =>
  socket.end(
    `HTTP/1.1 ${status}\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(text)}\r\nconnection: close\r\n\r\n${text}`,
  );
