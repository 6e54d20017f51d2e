import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { Duplex } from 'node:stream';
import { sendFailure, sendJson, sendText } from '../shared/answer.ts';
import { ApiFailure, forbidden, notAllowed, notServed, readable } from '../shared/failure.ts';
import { requestInfoOf } from '../shared/request-info.ts';
import { type Aggregator, createAggregator } from './aggregated.ts';
import { createRemoteDiscovery } from './aggregated-discovery.ts';
import { createAuthenticator, createTokenAuthenticator } from './authentication.ts';
import { type Authorize, createAuthorizer } from './authorization.ts';
import { readObject } from './bodies.ts';
import { answerDiscovery, isBuiltIn } from './discovery.ts';
import { impersonate } from './impersonation.ts';
import { questions } from './kinds.ts';
import { answerOpenApi } from './openapi.ts';
import { createResources } from './resources.ts';
import { createReviews } from './reviews.ts';
import { answerSubresource, upgradeSubresource } from './service-proxy.ts';
import { serviceAccountToken } from './tokens.ts';
import type { Call, Simulation } from './types.ts';
import { versionInfo } from './version.ts';

/** Who asks for what; nothing has been done about it yet. */
type Asked = Omit<Call, 'response'>;

/**
 * The HTTPS server of a simulation, not listening yet: who asks, whether they may, and who answers,
 * in the order of kube-apiserver (k8s.io/apiserver/pkg/server/config.go, DefaultBuildHandlerChain).
 */
export function createSimulationServer(simulation: Simulation): Server {
  const { files } = simulation;
  const authenticate = createAuthenticator(simulation);
  const authorize = createAuthorizer(simulation.store, simulation.kubernetes);
  const aggregator = createAggregator(simulation);
  const answer = createAnswer(simulation, aggregator, authorize);

  const ask = (request: IncomingMessage): Asked => {
    const url = urlOf(request);
    const info = requestInfoOf(request.method ?? '', url);
    const sender = authenticate(request);
    if (!sender) throw new ApiFailure(401, 'Unauthorized', 'Unauthorized');
    try {
      const user = impersonate(sender, request, authorize);
      const decision = authorize(user, info);
      if (!decision.allowed) throw forbidden(user, info, decision.reason);
      return { request, url, info, user };
    } catch (refusal) {
      throw new TurnedAway(refusal);
    }
  };

  const respond = async (response: ServerResponse, asked: () => Asked): Promise<void> => {
    try {
      await answer({ ...asked(), response });
    } catch (error) {
      fail(response, error);
    }
  };

  const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    socket.on('error', () => socket.destroy());
    // A request before it on this connection is not answered yet, which no client that upgrades
    // does.
    if ((socket as { _httpMessage?: unknown })._httpMessage) return void socket.destroy();
    try {
      const asked = ask(request);
      const call = { ...asked, socket, head };
      if (aggregator.owns(call.info)) aggregator.upgrade(call);
      // It may offer an upgrade that need not be taken, such as h2c.
      else if (!upgradeSubresource(simulation, call)) void respond(responseOn(request, socket), () => asked);
    } catch (error) {
      fail(responseOn(request, socket), error);
    }
  };

  const read = (path: string): Buffer => readFileSync(path);
  const server = createServer({
    cert: read(files.serving.cert),
    key: read(files.serving.key),
    ca: read(files.ca.cert),
    requestCert: true,
    // Without a certificate one may have a token; whom a certificate names is for the authenticator
    // to say.
    rejectUnauthorized: false,
    minVersion: 'TLSv1.2',
    // Go's clients keep idle connections for 90 seconds and would sometimes write into one that is
    // just being closed.
    keepAliveTimeout: 120_000,
  });
  server.on('request', (request, response) => {
    setCommonHeaders(response);
    void respond(response, () => ask(request));
  });
  server.on('upgrade', onUpgrade);
  return server;
}

/** Known, but not let in. */
class TurnedAway extends Error {
  constructor(readonly refusal: unknown) {
    super();
  }
}

type Answer = (call: Call) => Promise<void>;

function createAnswer(simulation: Simulation, aggregator: Aggregator, authorize: Authorize): Answer {
  const remote = createRemoteDiscovery(simulation);
  const reviews = createReviews(simulation, authorize, createTokenAuthenticator(simulation));
  const resources = createResources(simulation);
  const tokenRequest = { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest' };

  return async (call) => {
    const { info, request } = call;
    if (aggregator.owns(info)) return aggregator.answer(call);
    if (!info.isResource) {
      if (answerDiscovery(simulation, remote, call)) return;
      if (request.method === 'GET' || request.method === 'POST') {
        if (answerOpenApi(remote, call) || answerAboutItself(simulation, call)) return;
      }
      return sendText(call.response, 404, '404 page not found\n');
    }
    const question = questions.find(
      ({ group, version, plural }) => group === info.group && version === info.version && plural === info.resource,
    );
    if (question) {
      const review = reviews.get(`${info.group}/${info.resource}`);
      if (info.name !== '') throw notServed();
      if (!review || request.method !== 'POST') throw notAllowed();
      const sent = await readObject(call, question);
      return sendJson(
        call,
        201,
        readable(question, () => review(call, sent)),
      );
    }
    if (request.method === 'POST' && info.group === '' && `${info.resource}/${info.subresource}` === 'serviceaccounts/token') {
      const sent = await readObject(call, tokenRequest);
      return sendJson(
        call,
        201,
        readable(tokenRequest, () => serviceAccountToken(simulation, call, sent)),
      );
    }
    if (!isBuiltIn(info.group)) return sendText(call.response, 404, '404 page not found\n');
    if (await answerSubresource(simulation, call)) return;
    await resources(call);
  };
}

/** @returns whether it was asked how it is, or which version */
function answerAboutItself({ kubernetes }: Simulation, call: Call): boolean {
  const { info, request, response, url } = call;
  const [, check] = /^\/(healthz|livez|readyz)\/?$/.exec(info.path) ?? [];
  if (check) sendText(response, 200, url.searchParams.has('verbose') ? `[+]ping ok\n${check} check passed\n` : 'ok');
  else if (info.path === '/version') {
    if (request.method !== 'GET') throw notAllowed();
    sendJson(call, 200, versionInfo(kubernetes));
  } else if (info.path === '/')
    sendJson(call, 200, { paths: ['/api', '/api/v1', '/apis', '/healthz', '/livez', '/openapi/v3', '/readyz', '/version'] });
  else return false;
  return true;
}

class MalformedUrl extends Error {}

function urlOf({ url = '/' }: IncomingMessage): URL {
  try {
    const parsed = new URL(`https://simulation${url.startsWith('/') ? '' : '/'}${url}`);
    decodeURIComponent(parsed.pathname);
    return parsed;
  } catch {
    throw new MalformedUrl(url);
  }
}

function setCommonHeaders(response: ServerResponse): void {
  response.setHeader('audit-id', response.req.headers['audit-id'] ?? randomUUID());
  response.setHeader('cache-control', 'no-cache, private');
}

/** A connection that was to become something else, as one on which a response can be written. */
function responseOn(request: IncomingMessage, socket: Duplex): ServerResponse {
  const response = new ServerResponse(request);
  setCommonHeaders(response);
  response.shouldKeepAlive = false;
  // biome-ignore lint/suspicious/noExplicitAny: a TLSSocket, which the types of Node want to be a Socket.
  response.assignSocket(socket as any);
  response.once('finish', () => socket.end());
  return response;
}

function fail(response: ServerResponse, error: unknown): void {
  // k8s.io/apiserver/pkg/endpoints/handlers/responsewriters/errors.go, ForbiddenStatus.
  if (error instanceof TurnedAway && !response.headersSent) response.setHeader('x-content-type-options', 'nosniff');
  const failure = error instanceof TurnedAway ? error.refusal : error;
  if (response.headersSent) response.destroy();
  else if (failure instanceof ApiFailure) sendFailure(response, failure);
  else if (failure instanceof MalformedUrl) sendText(response, 400, '400 Bad Request');
  else sendFailure(response, internalError(failure));
}

const internalError = (error: unknown): ApiFailure =>
  new ApiFailure(500, 'InternalError', `Internal error occurred: ${error instanceof Error ? error.message : error}`, {
    causes: [{ message: String(error) }],
  });
