import type http from 'node:http';
import type { Received } from './faults.ts';

/** An answer of kube-apiserver, whatever its status. */
export interface Answer {
  readonly status: number;
  readonly body: string;
  /** The Date header: the time of the server's clock, in whole seconds (RFC 9110 6.6.1). */
  readonly date?: string;
}

/** Protects the memory from a runaway server. Real answers are much smaller. */
const maxBodyBytes = 64 * 1024 * 1024;

/** An answer whose body did not end. The cause is the error of the connection. */
export class Unfinished extends Error {
  constructor(
    readonly received: Received,
    cause: unknown,
  ) {
    super('the response ended early', { cause });
  }
}

/**
 * Reads an answer to its end, so that the connection can be reused.
 * @param keepBytes how many bytes of the body to keep
 * @throws Unfinished if the body does not end
 */
export async function readAnswer(response: http.IncomingMessage, keepBytes = maxBodyBytes): Promise<Answer> {
  const chunks: Buffer[] = [];
  let size = 0;
  const status = response.statusCode ?? 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      const missing = keepBytes - size;
      size += chunk.length;
      // Only what is kept needs memory.
      if (size > maxBodyBytes && keepBytes === maxBodyBytes) throw new Error(`the response is larger than ${maxBodyBytes} bytes`);
      if (missing > 0) chunks.push(chunk.subarray(0, missing));
    }
  } catch (cause) {
    throw new Unfinished({ status, bytes: size }, cause);
  }
  const { date } = response.headers;
  return { status, body: Buffer.concat(chunks).toString('utf8'), ...(date === undefined ? {} : { date }) };
}

/** Reads a stream of JSON lines. */
export async function* lines(response: http.IncomingMessage): AsyncGenerator<string> {
  response.setEncoding('utf8');
  let rest = '';
  for await (const chunk of response as AsyncIterable<string>) {
    const [head = '', ...more] = chunk.split('\n');
    rest += head;
    if (rest.length > maxBodyBytes) throw new Error(`an event is larger than ${maxBodyBytes} bytes`);
    for (const part of more) {
      if (rest !== '') yield rest;
      rest = part;
    }
  }
}
