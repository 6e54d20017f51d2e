import type { IncomingMessage } from 'node:http';
import { Agent, type RequestOptions, request } from 'node:https';
import { createInterface } from 'node:readline';

/** Plain requests to a control plane: only what a step asks for is sent. */

/** Anonymous without a certificate and a token. PEM. */
export interface Credentials {
  readonly cert?: string;
  readonly key?: string;
  readonly token?: string;
}

export interface Sent {
  /** Sent as JSON, or as it is when it is a string. */
  readonly body?: unknown;
  /** `application/json` without it. */
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
}

export interface Answer {
  readonly status: number;
  /** Those that are compared. */
  readonly headers: Readonly<Record<string, string>>;
  /** Parsed where it is JSON. */
  readonly body: unknown;
}

/** The status of an answer, and its message when it is a Status of failure. */
export const inShort = ({ status, body }: Answer): { readonly status: number; readonly message?: string } => {
  const message = (body as { message?: string } | undefined)?.message;
  return { status, ...(message === undefined ? {} : { message }) };
};

/**
 * A refusal without its wording, which the simulation does not imitate: the status, the reason and
 * the invalid fields.
 */
export function refusal({ status, body }: Answer): object {
  const { reason, details } = (body ?? {}) as { reason?: string; details?: { causes?: readonly { field?: string }[] } };
  return { status, reason, fields: [...new Set((details?.causes ?? []).map(({ field }) => field))].sort() };
}

/** The `refusal` of each answer. */
export const refusals = (answers: Readonly<Record<string, Answer>>): object =>
  Object.fromEntries(Object.entries(answers).map(([name, answer]) => [name, refusal(answer)]));

export type Method = 'GET' | 'HEAD' | 'OPTIONS' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface WatchAnswer extends Answer {
  readonly events: readonly unknown[];
}

export interface Client {
  ask(method: Method, path: string, sent?: Sent): Promise<Answer>;
  /**
   * Watches until there are as many events, or the server ends it, or `withinMs` has passed.
   * @param meanwhile - runs once the answer has begun
   */
  watch(path: string, count: number, meanwhile?: () => Promise<unknown>, withinMs?: number): Promise<WatchAnswer>;
}

/** The headers that are compared. */
const compared = ['content-type', 'location', 'www-authenticate'];
const answerMs = 20_000;

/** @param ca - PEM, of the server */
export function createClient(
  server: string,
  ca: string,
  { token, ...certificate }: Credentials,
): { readonly client: Client; close(): void } {
  const agent = new Agent({ keepAlive: true });
  const open = (method: Method, path: string, { body, contentType = 'application/json', headers = {} }: Sent): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
      const own: RequestOptions['headers'] = {
        accept: 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(text === undefined ? {} : { 'content-type': contentType, 'content-length': Buffer.byteLength(text) }),
        ...headers,
      };
      // An empty header removes one of these.
      const sent = Object.fromEntries(Object.entries(own).filter(([, value]) => value !== ''));
      const asking = request(server + path, { method, agent, ca, ...certificate, headers: sent as RequestOptions['headers'] });
      asking.on('response', resolve).on('error', reject);
      asking.setTimeout(answerMs, () => asking.destroy(new Error(`${method} ${path}: no answer within ${answerMs} ms`)));
      asking.end(text);
    });

  const client: Client = {
    ask: async (method, path, sent = {}) => readAnswer(await open(method, path, sent)),
    watch: async (path, count, meanwhile, withinMs = 5_000) => {
      const response = await open('GET', path, {});
      if (response.statusCode !== 200) return { ...(await readAnswer(response)), events: [] };
      const reading = readEvents(response, count, withinMs);
      await meanwhile?.();
      return { ...answerOf(response, undefined), events: await reading };
    },
  };
  return { client, close: () => agent.destroy() };
}

async function readEvents(response: IncomingMessage, count: number, withinMs: number): Promise<unknown[]> {
  const events: unknown[] = [];
  const timer = setTimeout(() => response.destroy(), withinMs);
  try {
    for await (const line of createInterface({ input: response })) {
      events.push(JSON.parse(line));
      if (events.length === count) break;
    }
  } catch (error) {
    // It was ended here.
    if (!response.destroyed) throw error;
  }
  clearTimeout(timer);
  response.destroy();
  return events;
}

async function readAnswer(response: IncomingMessage): Promise<Answer> {
  response.setEncoding('utf8');
  let text = '';
  for await (const chunk of response) text += chunk;
  return answerOf(response, parsed(text, response.headers['content-type']));
}

function answerOf({ statusCode = 0, headers }: IncomingMessage, body: unknown): Answer {
  const kept = compared.flatMap((name) => (headers[name] === undefined ? [] : [[name, String(headers[name])]]));
  return { status: statusCode, headers: Object.fromEntries(kept), ...(body === undefined ? { body: '' } : { body }) };
}

/** Events of a watch are several documents. */
function parsed(text: string, type = ''): unknown {
  if (!type.startsWith('application/json')) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
