import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { TLSSocket } from 'node:tls';
import { type ControlPlaneFiles, readAuthority, servingCertificate } from '../shared/credentials.ts';
import { nodeName } from './api.ts';
import type { SandboxKubelet } from './kubelet.ts';

/** The common name of the client certificate of kube-apiserver, in files.kubeletClient. */
const apiserverName = 'kube-apiserver-kubelet-client';

export interface KubeletServerOptions {
  readonly kubelet: Pick<SandboxKubelet, 'server'>;
  /** The files of the control plane; both sides trust its CA. */
  readonly files: Pick<ControlPlaneFiles, 'ca'>;
  /** An address of this host. */
  readonly address: string;
}

/** Serves a kubelet over HTTPS to kube-apiserver only, on a port that the operating system picks. */
export async function serveKubelet({
  kubelet,
  files,
  address,
}: KubeletServerOptions): Promise<{ readonly port: number; stop(): Promise<void> }> {
  const authority = await readAuthority(files.ca);
  const { certificates, key } = await servingCertificate(authority, `system:node:${nodeName}`, [nodeName, address], new Date());
  const tls = { cert: certificates, key: key.reveal(), ca: await readFile(files.ca.cert), requestCert: true, rejectUnauthorized: false };
  const server = createServer(tls, (request, response) => {
    if (isApiserver(request)) kubelet.server.answer(request, response);
    else response.writeHead(401, { 'content-type': 'text/plain; charset=utf-8' }).end('Unauthorized');
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, address, resolve));
  return {
    port: (server.address() as AddressInfo).port,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const isApiserver = ({ socket }: IncomingMessage): boolean =>
  socket instanceof TLSSocket && socket.authorized && socket.getPeerCertificate().subject?.CN === apiserverName;
