import type { IncomingMessage, ServerResponse } from 'node:http';
import { resourceList } from '../harness/backends.ts';
import { cluster } from '../harness/provided.ts';
import { groupOf, passed } from '../harness/registrations.ts';
import { describeFaults, ends, type HandMadeFault, serveAnswers, servingPair, validReply, withOpenApi } from './hand-made.ts';
import { serveRequests } from './odd-servers.ts';

/** Several servers behind one Service, some of which answer differently. */

type Answer = (request: IncomingMessage, response: ServerResponse) => unknown;

const valid: Answer = () => false;

/** Two good servers, and two that answer requests of kube-apiserver like this. */
const four =
  (odd: Answer): HandMadeFault['make'] =>
  async (name, bench) => {
    const [port = 0, ...otherPorts] = await Promise.all([valid, odd, valid, odd].map((answer) => serveAnswers(name, bench, answer)));
    return { port, otherPorts };
  };

/** Two good servers, and one that answers every request like this. */
const threeWith =
  (odd: (response: ServerResponse, request: IncomingMessage) => unknown): HandMadeFault['make'] =>
  async (name, bench) => {
    const good = () => serveAnswers(name, bench, valid);
    const bad = async () => bench.keep(serveRequests(await servingPair(name, bench), (request, response) => void odd(response, request)));
    const [port = 0, ...otherPorts] = await Promise.all([good(), bad(), good()]);
    return { port, otherPorts };
  };

/**
 * Servers that are bad only to kube-apiserver. Without --enable-aggregator-routing, verify finds
 * them only by chance: kube-apiserver may send every request to one endpoint. With it, a dozen
 * requests reach both kinds of servers: 1 run of 2,000 sends all of them to one kind.
 */
const onlyWithRouting: readonly HandMadeFault[] = [
  {
    name: 'two-of-four-distrustful',
    how: 'two of four servers do not authenticate kube-apiserver (401)',
    codes: ['endpoints/answers-differ'],
    condition: passed,
    make: four((_, response) => ends(response, 401)),
  },
  {
    name: 'two-of-four-refusing',
    how: 'two of four servers refuse kube-apiserver (403)',
    codes: ['endpoints/answers-differ'],
    condition: passed,
    make: four((_, response) => ends(response, 403)),
  },
];

const faults: readonly HandMadeFault[] = [
  {
    name: 'one-of-three-failing',
    how: 'one of three servers responds with 500 to every request',
    codes: ['endpoints/answers-differ'],
    condition: passed,
    make: threeWith((response) => ends(response, 500)),
  },
  {
    name: 'one-of-three-not-serving',
    how: 'one of three servers does not serve the group (404)',
    codes: ['endpoints/answers-differ'],
    condition: passed,
    make: threeWith((response) => ends(response, 404)),
  },
  {
    name: 'one-of-three-unready',
    how: 'one of three servers responds with 500 to GET /readyz, but not to other requests',
    codes: ['endpoints/answers-differ'],
    condition: passed,
    make: async (name, bench) => {
      const serve = async (status: number) =>
        bench.keep(
          serveRequests(await servingPair(name, bench), ({ url, socket }, response) => {
            if (url === '/readyz') return void ends(response, status);
            const authenticated =
              'getPeerX509Certificate' in socket && (socket as { getPeerX509Certificate(): unknown }).getPeerX509Certificate();
            response.writeHead(authenticated ? 200 : 401).end(JSON.stringify(validReply(name).body));
          }),
        );
      const [port = 0, ...otherPorts] = await Promise.all([serve(200), serve(500), serve(200)]);
      return { port, otherPorts };
    },
  },
  {
    name: 'two-versions',
    how: 'nothing: one of two servers is a newer version with more resources, as during a rollout',
    codes: [],
    condition: passed,
    make: async (name, bench) => {
      const newer = JSON.stringify(withOpenApi(name, resourceList(`${groupOf(name)}/v1`, 'things', 'more')));
      const [port = 0, ...otherPorts] = await Promise.all([
        serveAnswers(name, bench, valid),
        serveAnswers(name, bench, (_, response) => response.end(newer)),
      ]);
      return { port, otherPorts };
    },
  },
];

describeFaults('siblings', [...faults, ...(cluster.cell.aggregatorRouting ? onlyWithRouting : [])]);
