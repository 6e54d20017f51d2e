import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { SecureContextOptions } from 'node:tls';
import { connectionFault } from '../../cluster/faults.ts';
import { sendFailure, sendJson, sendText } from '../shared/answer.ts';
import { ApiFailure, badRequest } from '../shared/failure.ts';
import type { UserInfo } from '../shared/identity.ts';
import type { RequestInfo } from '../shared/request-info.ts';
import { requestInfoOf } from '../shared/request-info.ts';
import { answer } from './api.ts';
import { Unauthenticated } from './authentication.ts';
import type { ClientTrust } from './client-trust.ts';
import type { Flags } from './flags.ts';
import type { ServingPair } from './serving-pair.ts';

/** Who asks, and whether they may: what a server leaves to the cluster. */
export interface Delegation {
  /** @throws Unauthenticated */
  readonly authenticate: (request: IncomingMessage) => Promise<UserInfo>;
  /** @throws ApiFailure 403; Error when it can't be found out */
  readonly authorize: (user: UserInfo, info: RequestInfo) => Promise<void>;
}

/** What the server shows, and whom it believes. */
export interface Credentials {
  readonly pair: ServingPair;
  readonly trust: ClientTrust;
}

/**
 * What handshakes are made with. The names of the CAs tell a client which of its certificates to show; whether it is believed is decided for every request,
 * for the two CAs mean different things.
 */
export const tlsOptions = ({ pair, trust: { frontProxy, clientRoots } }: Credentials): SecureContextOptions => ({
  ...pair,
  ca: [...frontProxy.roots, ...clientRoots].map(({ pem }) => pem),
  minVersion: 'TLSv1.2',
});

/** kube-apiserver keeps idle connections for 90 seconds (k8s.io/apimachinery/pkg/util/net/http.go); were we first, a request could meet the end of one. */
const keepAliveMs = 120_000;

/** Makes the server; it does not listen yet. @param log - takes a line for each request of a resource, for who is not believed, and for what could not be decided */
export function createDemoServer(
  api: Flags['api'],
  tls: SecureContextOptions,
  delegation: Delegation,
  log: (line: string) => void,
): Server {
  const listener: RequestListener = (request, response) => void respond({ api, delegation, log }, request, response);
  const server = createServer({ ...tls, requestCert: true, rejectUnauthorized: false }, listener);
  server.keepAliveTimeout = keepAliveMs;
  server.on('tlsClientError', (error: NodeJS.ErrnoException) => {
    // Who does not believe the certificate says so and goes, and nothing else tells of it on this side. Who just goes has only looked at it.
    if (error.code?.startsWith('ERR_SSL')) log(`TLS handshake error: ${connectionFault(error)}`);
  });
  return server;
}

/** @throws ApiFailure for a target that is no URL */
function urlOf(target: string): URL {
  try {
    const url = new URL(`https://machine${target.startsWith('/') ? target : '/'}`);
    decodeURIComponent(url.pathname);
    return url;
  } catch {
    throw badRequest('the URL is malformed');
  }
}

interface Context {
  readonly api: Flags['api'];
  readonly delegation: Delegation;
  readonly log: (line: string) => void;
}

async function respond({ api, delegation, log }: Context, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = 'GET', url: target = '/' } = request;
  // Nothing is read from a body: there is nothing to write.
  request.resume();
  let info: RequestInfo | undefined;
  try {
    const url = urlOf(target);
    info = requestInfoOf(method, url);
    const user = await delegation.authenticate(request);
    await delegation.authorize(user, info);
    const body = answer(api, { method, url, info });
    if (info.isResource) log(`${method} ${target} for ${user.name}`);
    if (typeof body === 'string') sendText(response, 200, body);
    else sendJson({ response }, 200, body);
  } catch (error) {
    const status = sendError(response, error as Error, target);
    // What is not served is asked for all the time, such as /openapi/v2 by kube-apiserver.
    if (info?.isResource || !(error instanceof ApiFailure)) log(`${method} ${target}: ${status}: ${(error as Error).message}`);
  }
}

/** Answers a request that failed. @returns the status */
function sendError(response: ServerResponse, error: Error, target: string): number {
  const failure = error instanceof Unauthenticated ? new ApiFailure(401, 'Unauthorized', 'Unauthorized') : error;
  if (failure instanceof ApiFailure) {
    sendFailure(response, failure);
    return failure.code;
  }
  // As k8s.io/apiserver says it (pkg/endpoints/handlers/responsewriters/errors.go, InternalError).
  sendText(response, 500, `Internal Server Error: ${JSON.stringify(target)}: ${error.message}\n`);
  return 500;
}
