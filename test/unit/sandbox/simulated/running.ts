import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { clientCertificate, readAuthority } from '../../../../src/sandbox/shared/credentials.ts';
import { startSimulation } from '../../../../src/sandbox/simulated/simulation.ts';
import type { Obj } from '../../../../src/sandbox/simulated/types.ts';

export interface Asked {
  readonly body?: unknown;
  /** Done between sending the headers and the body. */
  readonly meanwhile?: () => Promise<unknown>;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** Undefined when it is no JSON. */
  readonly json: Obj;
}

/** A simulation that serves HTTPS. */
export interface Running {
  readonly server: string;
  /** @param method - and the path: `GET /api` */
  ask(method: string, asked?: Asked): Promise<Answered>;
  /** Opens a watch. @returns what it has told so far, and what it tells until it is closed */
  watch(
    path: string,
    headers?: Asked['headers'],
  ): Promise<{ readonly events: Obj[]; until(count: number): Promise<Obj[]>; readonly ended: Promise<unknown>; close(): void }>;
  stop(): Promise<void>;
}

/** Starts one; all requests are by an administrator. */
export async function startRunning(): Promise<Running> {
  const stateDir = await mkdtemp(join(tmpdir(), 'apisvc-simulation-'));
  const now = new Date();
  const kubelet = () => {};
  const { server, files, stop } = await startSimulation({ stateDir, kubelet, kubernetes: '1.37', now });
  const ca = await readAuthority(files.ca);
  const { certificates: cert, key } = await clientCertificate(ca, 'admin', ['system:masters'], now);
  const agent = new https.Agent({ keepAlive: true, ca: ca.certificates, cert, key: key.reveal() });

  const open = async (question: string, { body, headers = {}, meanwhile }: Asked = {}): Promise<IncomingMessage> => {
    const [method = '', path = ''] = question.split(' ');
    const sent = body === undefined ? undefined : typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
    const length = sent === undefined ? {} : { 'content-length': String(Buffer.byteLength(sent)) };
    const request = https.request(server + path, { method, agent, headers: { 'user-agent': 'test/1', ...length, ...headers } });
    if (meanwhile) {
      request.flushHeaders();
      await meanwhile();
    }
    request.end(sent);
    const [response] = await once(request, 'response');
    return response;
  };

  return {
    server,
    async ask(question, asked) {
      const response = await open(question, asked);
      const body = await text(response);
      const json = response.headers['content-type']?.startsWith('application/json') && body !== '' ? JSON.parse(body) : undefined;
      return { status: response.statusCode ?? 0, headers: response.headers, text: body, json };
    },
    async watch(path, headers = {}) {
      const response = await open(`GET ${path}`, { headers });
      const events: Obj[] = [];
      let rest = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        const lines = (rest + chunk).split('\n');
        rest = lines.pop() ?? '';
        events.push(...lines.map((line) => JSON.parse(line)));
      });
      response.on('error', () => {});
      return {
        events,
        ended: new Promise((resolve) => response.once('close', resolve)),
        async until(count) {
          while (events.length < count) await once(response, 'data');
          return events;
        },
        close: () => response.destroy(),
      };
    },
    async stop() {
      agent.destroy();
      await stop();
      await rm(stateDir, { recursive: true, force: true });
    },
  };
}

/** A ConfigMap. @param metadata - besides the name */
export const configMap = (name: string, metadata: Obj = {}, data?: Obj): Obj => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...metadata },
  ...(data ? { data } : {}),
});
