import { Duplex } from 'node:stream';
import { constants, createDeflate, createInflate, type Deflate, type Inflate } from 'node:zlib';
import { headerDictionary } from './spdy-dictionary.ts';

// As much of SPDY/3.1 (https://www.chromium.org/spdy/spdy-protocol/spdy-protocol-draft3-1/) as github.com/moby/spdystream speaks on the side of a server: streams that the
// client opens, without flow control, priorities or push.

const version = 3;
const control = { synStream: 1, synReply: 2, rstStream: 3, ping: 6 } as const;
const fin = 0x01;
/** 3.1, Cancel. */
const cancelled = 5;
const headBytes = 8;
/** What a frame may hold here; those of a port-forward hold at most one buffer of io.Copy. */
const largestFrame = 1024 * 1024;

/** A stream that the client opened. Its end is the client's; ending it is ours. */
export interface SpdyStream extends Duplex {
  /** Names in small letters. */
  readonly headers: Readonly<Record<string, string>>;
}

interface Frame {
  readonly type: number | 'data';
  readonly flags: number;
  /** Of a data frame. */
  readonly stream: number;
  readonly payload: Buffer;
}

/** Serves a connection; when it breaks, all of its streams do. @param onStream gets each stream after the client was told that it is open */
export function serveSpdy(connection: Duplex, onStream: (stream: SpdyStream) => void): void {
  const streams = new Map<number, SpdyStream>();
  const inflate = createInflate({ dictionary: headerDictionary, finishFlush: constants.Z_SYNC_FLUSH });
  const deflate = createDeflate({ dictionary: headerDictionary });
  const send = (frame: Buffer, done?: () => void): void => void (connection.writable ? connection.write(frame, done) : done?.());
  const take = async ({ type, flags, stream: id, payload }: Frame): Promise<void> => {
    if (type === 'data') return receive(streams.get(id), payload, flags);
    if (type === control.ping) return send(controlFrame(control.ping, payload));
    const about = payload.length >= 4 ? payload.readUInt32BE() & 0x7fffffff : 0;
    if (type === control.rstStream) return void streams.get(about)?.destroy();
    if (type !== control.synStream) return;
    const headers = readHeaders(await squeezed(inflate, payload.subarray(10)));
    const stream = streamOver(about, headers, send, () => streams.delete(about));
    streams.set(about, stream);
    const none = Buffer.alloc(4);
    send(controlFrame(control.synReply, Buffer.concat([payload.subarray(0, 4), await squeezed(deflate, none)])));
    onStream(stream);
    receive(stream, Buffer.alloc(0), flags);
  };
  const serve = async (): Promise<void> => {
    for await (const frame of framesIn(connection)) await take(frame);
  };
  const end = (): void => {
    connection.destroy();
    inflate.close();
    deflate.close();
    for (const stream of streams.values()) stream.destroy();
  };
  serve().then(end, end);
}

function receive(stream: SpdyStream | undefined, bytes: Buffer, flags: number): void {
  if (bytes.length > 0) stream?.push(bytes);
  if (flags & fin) stream?.push(null);
}

function streamOver(
  id: number,
  headers: SpdyStream['headers'],
  send: (frame: Buffer, done?: () => void) => void,
  onClose: () => void,
): SpdyStream {
  let ended = false;
  const stream = new Duplex({
    read: () => {},
    write: (bytes: Buffer, _, done) => send(dataFrame(id, 0, bytes), done),
    final: (done) => {
      ended = true;
      send(dataFrame(id, fin, Buffer.alloc(0)), done);
    },
    destroy: (_, done) => {
      onClose();
      if (!ended) send(controlFrame(control.rstStream, words(id, cancelled)));
      done(null);
    },
  });
  return Object.assign(stream, { headers });
}

/** Cuts what comes into frames. @throws Error for one that is too large, or of another version */
async function* framesIn(connection: Duplex): AsyncGenerator<Frame> {
  let rest = Buffer.alloc(0);
  for await (const chunk of connection as AsyncIterable<Buffer>) {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= headBytes) {
      const first = rest.readUInt32BE();
      const length = rest.readUIntBE(5, 3);
      if (length > largestFrame) throw new Error(`a frame of ${length} bytes`);
      if (rest.length < headBytes + length) break;
      const isControl = first >>> 31 === 1;
      if (isControl && ((first >>> 16) & 0x7fff) !== version) throw new Error('not SPDY/3.1');
      const payload = rest.subarray(headBytes, headBytes + length);
      yield { type: isControl ? first & 0xffff : 'data', flags: rest[4] ?? 0, stream: isControl ? 0 : first, payload };
      rest = rest.subarray(headBytes + length);
    }
  }
}

function dataFrame(stream: number, flags: number, payload: Buffer): Buffer {
  const head = words(stream, payload.length);
  head[4] = flags;
  return Buffer.concat([head, payload]);
}

const controlFrame = (type: number, payload: Buffer): Buffer =>
  Buffer.concat([words(((0x8000 | version) << 16) | type, payload.length), payload]);

/** 32 bits each, big endian. */
function words(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value >>> 0, index * 4);
  return bytes;
}

/** What comes out of zlib for these bytes: the headers of all frames of a direction are one stream, flushed after each. */
async function squeezed(zlib: Inflate | Deflate, bytes: Buffer): Promise<Buffer> {
  await new Promise<void>((resolve, reject) => {
    zlib.once('error', reject);
    zlib.write(bytes, () => zlib.flush(constants.Z_SYNC_FLUSH, resolve));
  });
  zlib.removeAllListeners('error');
  const out: Buffer[] = [];
  for (let part = zlib.read(); part !== null; part = zlib.read()) out.push(part);
  return Buffer.concat(out);
}

/** A count, then names and values, each with its length before it; several values of a name are parted by a byte 0. */
function readHeaders(block: Buffer): Record<string, string> {
  let at = 4;
  const text = (): string => {
    const length = block.readUInt32BE(at);
    at += 4 + length;
    return block.toString('utf8', at - length, at);
  };
  return Object.fromEntries(Array.from({ length: block.readUInt32BE() }, () => [text().toLowerCase(), text()]));
}
