import { writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { stringify } from 'yaml';
import { journalAnnotation } from '../../../src/cluster/rotation-lease.ts';
import { connectionOf } from './administrator.ts';
import { emptyFolder } from './projects.ts';
import { cluster } from './provided.ts';

/**
 * A proxy in front of kube-apiserver that stops a rotation when it has recorded the start of a
 * step. The rotation still renews its Lease, so it is in progress.
 */
export interface Gate {
  /** The path of a kubeconfig for the rotation. */
  readonly kubeconfig: string;
  /** Opens the gate, and resolves when the rotation stands at the start of this step. */
  passUntil(step: string): Promise<void>;
  /** Opens the gate for good. */
  open(): void;
  stop(): void;
}

/** These steps send no requests. They are stopped by withholding the answer to the record. */
const silentSteps: readonly string[] = ['promote', 'discard'];

interface Closed {
  readonly opened: Promise<void>;
  open(): void;
}

function closedGate(): Closed {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

export async function startGate(): Promise<Gate> {
  const connection = connectionOf(cluster.kubeconfig);
  let closed: Closed | undefined;
  let awaited: { readonly step: string; reached(): void } | undefined;

  const answerTo = async (incoming: IncomingMessage, answer: ServerResponse): Promise<void> => {
    const body = await buffer(incoming);
    const isLease = incoming.url?.includes('/leases/apisvc-rotation-');
    while (closed && !isLease) await closed.opened;
    // A killed rotation must not write any more.
    if (incoming.socket.destroyed) return;
    const stopped = awaited && isLease && stepIn(body) === awaited.step ? awaited : undefined;
    if (stopped) closed = closedGate();
    const outgoing = request({ ...connection, ...partsOf(incoming) }, async (response) => {
      stopped?.reached();
      if (stopped && silentSteps.includes(stopped.step)) await closed?.opened;
      answer.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(answer);
    });
    outgoing.on('error', () => answer.destroy());
    answer.on('close', () => outgoing.destroy());
    outgoing.end(body);
  };

  const server = createServer((incoming, answer) => void answerTo(incoming, answer).catch(() => answer.destroy()));
  server.on('upgrade', (incoming, socket, head) => forwardUpgrade(connection, incoming, socket, head));
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const kubeconfig = join(emptyFolder(), 'kubeconfig');
  const { port } = server.address() as AddressInfo;
  writeFileSync(
    kubeconfig,
    stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'gate', cluster: { server: `http://127.0.0.1:${port}` } }],
      contexts: [{ name: 'gate', context: { cluster: 'gate' } }],
      'current-context': 'gate',
    }),
  );
  const open = (): void => {
    closed?.open();
    closed = undefined;
    awaited = undefined;
  };
  return {
    kubeconfig,
    open,
    passUntil: (step) =>
      new Promise((reached) => {
        open();
        awaited = { step, reached };
      }),
    stop: () => {
      connection.agent.destroy();
      server.close().closeAllConnections();
    },
  };
}

type Connection = ReturnType<typeof connectionOf>;

const partsOf = ({ method, url, headers }: IncomingMessage) => ({ method, path: url, headers });

/** The step that a change of the Lease records. */
function stepIn(body: Buffer): string | undefined {
  if (body.length === 0) return undefined;
  const journal = JSON.parse(body.toString()).metadata?.annotations?.[journalAnnotation];
  return journal && JSON.parse(journal).step;
}

/** Port-forwarding. */
function forwardUpgrade(connection: Connection, incoming: IncomingMessage, socket: Duplex, head: Buffer): void {
  const outgoing = request({ ...connection, ...partsOf(incoming) });
  const end = (): void => void socket.destroy();
  outgoing.on('error', end).on('response', end);
  outgoing.on('upgrade', ({ statusCode, statusMessage, rawHeaders }, upstream, first) => {
    const lines = rawHeaders.flatMap((text, index) => (index % 2 === 0 ? [`${text}: ${rawHeaders[index + 1]}`] : []));
    socket.write([`HTTP/1.1 ${statusCode} ${statusMessage}`, ...lines, '', ''].join('\r\n'));
    const both = [socket, upstream];
    for (const each of both)
      each.on('error', () => both.map((other) => other.destroy())).on('close', () => both.map((other) => other.destroy()));
    upstream.write(head);
    socket.write(first);
    socket.pipe(upstream).pipe(socket);
  });
  outgoing.end();
}
