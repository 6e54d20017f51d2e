import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { SecureContextOptions } from 'node:tls';
import { connectionFault } from '../../cluster/faults.ts';
import { sendFailure, sendJson, sendText } from '../shared/answer.ts';
import { ApiFailure } from '../shared/failure.ts';
import { type RequestInfo, requestInfoOf } from '../shared/request-info.ts';
import { requestUrl } from '../shared/request-url.ts';
import { answer } from './api.ts';
import type { ClientTrust } from './client-trust.ts';
import { type Delegation, Unauthenticated } from './delegation.ts';
import type { GroupVersion } from './flags.ts';
import type { ServingPair } from './serving-pair.ts';

export interface Credentials {
  readonly pair: ServingPair;
  readonly trust: ClientTrust;
}

/**
 * The options of a handshake. `ca` only tells a client which certificate to present: the delegation
 * verifies it for every request.
 */
export const tlsOptions = ({ pair, trust: { roots } }: Credentials): SecureContextOptions => ({
  ...pair,
  ca: roots.map(({ pem }) => pem),
  minVersion: 'TLSv1.2',
});

/**
 * More than the 90 seconds of kube-apiserver (k8s.io/apimachinery/pkg/util/net/http.go), so that
 * the server never closes a connection that kube-apiserver is about to use.
 */
const keepAliveMs = 120_000;

/** Creates the server; it does not listen yet. @param log gets requests of resources and errors */
export function createDemoServer(
  api: GroupVersion,
  tls: SecureContextOptions,
  delegation: Delegation,
  log: (line: string) => void,
): Server {
  const listener: RequestListener = (request, response) => void respond({ api, delegation, log }, request, response);
  const server = createServer({ ...tls, requestCert: true, rejectUnauthorized: false }, listener);
  server.keepAliveTimeout = keepAliveMs;
  server.on('tlsClientError', (error: NodeJS.ErrnoException) => {
    // A client that rejects the certificate sends an alert. Any other end of a handshake is normal.
    if (error.code?.startsWith('ERR_SSL')) log(`TLS handshake error: ${connectionFault(error)}`);
  });
  return server;
}

interface Context {
  readonly api: GroupVersion;
  readonly delegation: Delegation;
  readonly log: (line: string) => void;
}

async function respond({ api, delegation, log }: Context, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = 'GET', url: target = '/' } = request;
  // The API is read-only, so a body is ignored.
  request.resume();
  let info: RequestInfo | undefined;
  try {
    const url = requestUrl(target);
    info = requestInfoOf(method, url);
    const user = await delegation.authenticate(request);
    await delegation.authorize(user, info);
    const body = answer(api, { method, url, info });
    if (info.isResource) log(`${method} ${target} for ${user.name}`);
    if (typeof body === 'string') sendText(response, 200, body);
    else sendJson({ response }, 200, body);
  } catch (error) {
    const status = sendError(response, error as Error, target);
    // kube-apiserver often requests paths that are not served, such as /openapi/v2.
    if (info?.isResource || !(error instanceof ApiFailure)) log(`${method} ${target}: ${status}: ${(error as Error).message}`);
  }
}

/** @returns the status that was sent */
function sendError(response: ServerResponse, error: Error, target: string): number {
  const failure = error instanceof Unauthenticated ? new ApiFailure(401, 'Unauthorized', 'Unauthorized') : error;
  if (failure instanceof ApiFailure) {
    sendFailure(response, failure);
    return failure.code;
  }
  // The format of k8s.io/apiserver (pkg/endpoints/handlers/responsewriters/errors.go,
  // InternalError).
  sendText(response, 500, `Internal Server Error: ${JSON.stringify(target)}: ${error.message}\n`);
  return 500;
}
