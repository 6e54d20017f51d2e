import { describe, expect, test } from 'vitest';
import { extendedKeyUsage } from '../../../../src/pki/extensions.ts';
import { runAvailability } from '../../../../src/sandbox/simulated/availability.ts';
import { apiServiceKind } from '../../../../src/sandbox/simulated/lookup.ts';
import { inDays, makeCa } from '../../pki/certificates.ts';
import {
  answerOk,
  bundleOf,
  certificates,
  condition,
  expose,
  forServers,
  httpsServer,
  listen,
  name,
  names,
  passed,
  probed,
  register,
  servingName,
  simulate,
  versions,
} from './testbed.ts';

/** How kube-apiserver verifies the certificate of a server, and that 1.35 does not. */

const elsewhere = 'elsewhere.svc';
const faults: readonly (readonly [string, Parameters<typeof certificates>[0], string])[] = [
  [
    'expired',
    { notBefore: inDays(-9), notAfter: inDays(-1) },
    'x509: certificate has expired or is not yet valid: current time 2026-06-15T12:00:00Z is after 2026-06-14T12:00:00Z',
  ],
  [
    'early',
    { notBefore: inDays(1) },
    'x509: certificate has expired or is not yet valid: current time 2026-06-15T12:00:00Z is before 2026-06-16T12:00:00Z',
  ],
  [
    'of another name',
    { extensions: [names(elsewhere, 'api'), forServers] },
    `x509: certificate is valid for ${elsewhere}, api, not ${servingName}`,
  ],
  ['with a common name only', { extensions: [forServers] }, 'x509: certificate relies on legacy Common Name field, use SANs instead'],
  [
    'of no name at all',
    { commonName: 'other', extensions: [forServers] },
    `x509: certificate is not valid for any names, but wanted to match ${servingName}`,
  ],
  [
    'for clients',
    { extensions: [names(servingName), extendedKeyUsage(['clientAuth'])] },
    'x509: certificate specifies an incompatible key usage',
  ],
];

describe('an invalid certificate', () => {
  test.each(faults)('%s: 1.37 reports it, 1.35 ignores it', async (_, recipe, detail) => {
    for (const kubernetes of versions) {
      const simulation = await simulate(kubernetes);
      const { ca, leaf } = await certificates(recipe);
      const port = await listen(httpsServer([leaf], answerOk));
      expose(simulation, port);
      register(simulation, { caBundle: bundleOf(ca) });
      runAvailability(simulation);
      const message = `failing or missing response from ${probed(port)}: Get "${probed(port)}": tls: failed to verify certificate: ${detail}`;
      expect(await condition(simulation)).toMatchObject(
        kubernetes === '1.35' ? passed : { status: 'False', reason: 'FailedDiscoveryCheck', message },
      );
    }
  });

  test.each([
    ['of another CA', 'another CA', 'x509: certificate signed by unknown authority'],
    [
      'of a CA of the same name',
      'the CA',
      'x509: certificate signed by unknown authority (possibly because of "x509: ECDSA verification failure" while trying to verify candidate authority certificate "the CA")',
    ],
  ])('%s', async (_, commonName, detail) => {
    const simulation = await simulate();
    const { ca, leaf } = await certificates();
    const port = await listen(httpsServer([leaf], answerOk));
    expose(simulation, port);
    const registered = register(simulation, { caBundle: bundleOf(await makeCa({ commonName })) });
    runAvailability(simulation);
    expect((await condition(simulation)).message).toMatch(`: tls: failed to verify certificate: ${detail}`);
    const repaired = { ...registered, metadata: { name }, spec: { ...registered.spec, caBundle: bundleOf(ca) } };
    simulation.store.update(apiServiceKind, { ...repaired, status: simulation.store.get(apiServiceKind, undefined, name)?.status });
    expect(await condition(simulation, ({ status }) => status === 'True')).toMatchObject(passed);
  });

  test('a caBundle without certificates: 1.37 writes no condition, 1.35 ignores it', async () => {
    const { leaf } = await certificates();
    const port = await listen(httpsServer([leaf], answerOk));
    const [silent, blind] = [await simulate('1.37'), await simulate('1.35')];
    for (const simulation of [silent, blind]) {
      expose(simulation, port);
      register(simulation, { caBundle: 'Cg==' });
      runAvailability(simulation);
    }
    expect(await condition(blind)).toMatchObject(passed);
    expect(silent.store.get(apiServiceKind, undefined, name)?.status).toEqual({});
  });
});
