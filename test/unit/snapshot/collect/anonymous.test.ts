import type { RequestListener } from 'node:http';
import https from 'node:https';
import { expect, test } from 'vitest';
import { requestAnonymously } from '../../../../src/snapshot/collect/anonymous.ts';
import { noBackend } from '../../../../src/snapshot/collect/backend.ts';
import { collectContext } from '../../../../src/snapshot/collect/context.ts';
import { probeEndpoints } from '../../../../src/snapshot/collect/probe.ts';
import { skipped } from '../../../../src/snapshot/observed.ts';
import type { ApiServiceView } from '../../../../src/snapshot/types.ts';
import { clusterAt, never } from '../../cluster/kube-api.ts';
import { listening, servingCertificate } from '../../cluster/listening.ts';

/** Requests directly to the endpoints of a Service. */

const path = '/apis/wardle.example.com/v1';
const service = { namespace: 'wardle', name: 'api', port: 443 };
const { leaf, authority } = await servingCertificate();
const api: ApiServiceView = {
  name: 'v1.wardle.example.com',
  group: 'wardle.example.com',
  version: 'v1',
  service,
  caBundle: Buffer.from(authority.certificates).toString('base64'),
  insecureSkipTLSVerify: false,
  groupPriorityMinimum: 1000,
  versionPriority: 15,
  available: undefined,
  labels: {},
  annotations: {},
};

/** @param statuses those of each server: for the path of the API, and for /readyz */
async function ask(...statuses: readonly (readonly [api: number, ready: number])[]) {
  const asked: string[] = [];
  const targets = await Promise.all(
    statuses.map(async ([status, ready], index) => {
      const answer: RequestListener = ({ url, headers }, response) => {
        asked.push(`${index} ${url}${headers['x-remote-user'] ? ' forged' : ''}`);
        response.writeHead(url === '/readyz' ? ready : status).end('x'.repeat(1000));
      };
      const server = https.createServer({ cert: leaf.certificates, key: leaf.key.reveal() }, answer);
      return { ...(await listening(server)), pod: undefined };
    }),
  );
  const context = collectContext(await clusterAt('http://127.0.0.1:1'), never);
  const probes = await probeEndpoints(context, service, targets);
  const backend = { ...noBackend(skipped('not needed')), probes: { state: 'seen', value: probes }, targets, container: undefined } as const;
  return { ...(await requestAnonymously(context, api, backend, path)), asked: asked.sort() };
}

test('one endpoint gets a request without identity and one with a forged identity', async () => {
  const { anonymous, forged, endpointAnswers, asked } = await ask([401, 200]);
  expect(asked).toEqual([`0 ${path}`, `0 ${path} forged`]);
  expect([anonymous, forged]).toMatchObject(Array(2).fill({ state: 'seen', value: { path, status: 401 } }));
  expect(endpointAnswers).toMatchObject({ state: 'unseen', reason: 'skipped' });
});

test('several endpoints all get a request without identity and one for their readiness', async () => {
  const { endpointAnswers, asked } = await ask([401, 200], [500, 500], [401, 200]);
  const forEach = [0, 1, 2].flatMap((index) => [`${index} /readyz`, `${index} ${path}`]);
  expect(asked).toEqual([...forEach, `0 ${path} forged`].sort());
  const answers = endpointAnswers.state === 'seen' ? endpointAnswers.value : [];
  expect(answers).toMatchObject(
    [401, 500, 401].map((status, index) => ({
      api: { value: { path, status, body: 'x'.repeat(300) } },
      ready: { value: { path: '/readyz', status: index === 1 ? 500 : 200 } },
    })),
  );
  expect(answers[0]?.ready).toMatchObject({ value: { body: '' } });
});
