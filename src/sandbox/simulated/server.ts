import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { sendFailure, sendJson, sendText } from '../shared/answer.ts';
import { ApiFailure, badRequest, forbidden, notAllowed } from '../shared/failure.ts';
import { requestInfoOf } from '../shared/request-info.ts';
import { requestUrl } from '../shared/request-url.ts';
import { type Aggregator, createAggregator } from './aggregated.ts';
import { createRemoteDiscovery } from './aggregated-discovery.ts';
import { createAuthenticator, createTokenAuthenticator } from './authentication.ts';
import { type Authorize, createAuthorizer } from './authorization.ts';
import { readObject } from './bodies.ts';
import { answerDiscovery, isBuiltIn } from './discovery.ts';
import { impersonate } from './impersonation.ts';
import { answerOpenApi } from './openapi.ts';
import { answerLog } from './pod-log.ts';
import { createResources } from './resources.ts';
import { createReviews } from './reviews.ts';
import type { Call, Simulation } from './types.ts';
import { versionInfo } from './version.ts';

/**
 * The HTTPS server of a simulation, not listening yet. It authenticates, authorizes and dispatches
 * in the order of k8s.io/apiserver/pkg/server/config.go, DefaultBuildHandlerChain.
 */
export function createSimulationServer(simulation: Simulation): Server {
  const { files } = simulation;
  const authenticate = createAuthenticator(simulation);
  const authorize = createAuthorizer(simulation.store);
  const aggregator = createAggregator(simulation);
  const answer = createAnswer(simulation, aggregator, authorize);

  const admit = (request: IncomingMessage): Omit<Call, 'response'> => {
    const url = requestUrl(request.url);
    const info = requestInfoOf(request.method ?? '', url);
    const sender = authenticate(request);
    if (!sender) throw new ApiFailure(401, 'Unauthorized', 'Unauthorized');
    const user = impersonate(sender, request, authorize);
    const decision = authorize(user, info);
    if (!decision.allowed) throw forbidden(user, info, decision.reason);
    return { request, url, info, user };
  };

  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    response.setHeader('audit-id', request.headers['audit-id'] ?? randomUUID());
    response.setHeader('cache-control', 'no-cache, private');
    try {
      await answer({ ...admit(request), response });
    } catch (error) {
      fail(response, error);
    }
  };

  const read = (path: string): Buffer => readFileSync(path);
  const server = createServer({
    cert: read(files.serving.cert),
    key: read(files.serving.key),
    ca: read(files.ca.cert),
    requestCert: true,
    // A client may have a token instead of a certificate.
    rejectUnauthorized: false,
    minVersion: 'TLSv1.2',
    // Go's clients keep idle connections for 90 s and would write into one that is being closed.
    keepAliveTimeout: 120_000,
  });
  server.on('request', (request, response) => void respond(request, response));
  return server;
}

type Answer = (call: Call) => Promise<void>;

function createAnswer(simulation: Simulation, aggregator: Aggregator, authorize: Authorize): Answer {
  const remote = createRemoteDiscovery(simulation);
  const reviewAt = createReviews(simulation, authorize, createTokenAuthenticator(simulation));
  const resources = createResources(simulation);

  return async (call) => {
    const { info, request } = call;
    if (aggregator.owns(info)) return aggregator.answer(call);
    if (!info.isResource) {
      const isRead = request.method === 'GET' || request.method === 'HEAD';
      if (answerDiscovery(simulation, remote, call)) return;
      if (isRead && (answerOpenApi(remote, call) || answerAboutItself(simulation, call))) return;
      return sendText(call.response, 404, '404 page not found\n');
    }
    const review = reviewAt(info);
    if (review) {
      if (request.method !== 'POST') throw notAllowed();
      const sent = await readObject(call, review.kind);
      return sendJson(call, 201, review.answer(call, sent));
    }
    if (!isBuiltIn(info.group)) return sendText(call.response, 404, '404 page not found\n');
    if (!answerLog(simulation, call)) await resources(call);
  };
}

/** The simulation has no queue: it uses a changed APIService at once. */
const pickupMetrics = ['workqueue_depth', 'workqueue_longest_running_processor_seconds']
  .map((name) => `${name}{name="APIServiceRegistrationController"} 0\n`)
  .join('');

/** @returns whether the request was for health, metrics or the version */
function answerAboutItself({ kubernetes }: Simulation, call: Call): boolean {
  const { info, response } = call;
  if (/^\/(healthz|livez|readyz)\/?$/.test(info.path)) sendText(response, 200, 'ok');
  else if (info.path === '/metrics') sendText(response, 200, pickupMetrics);
  else if (info.path === '/version') sendJson(call, 200, versionInfo(kubernetes));
  else return false;
  return true;
}

function fail(response: ServerResponse, error: unknown): void {
  if (response.headersSent) response.destroy();
  else sendFailure(response, error instanceof ApiFailure ? error : failureOf(error as Error));
}

/** The types of most fields are not checked before they are used. */
const failureOf = (error: Error): ApiFailure =>
  error instanceof TypeError
    ? badRequest(`the object cannot be handled: a field is of another type: ${error.message}`)
    : new ApiFailure(500, 'InternalError', `Internal error occurred: ${error.message}`);
