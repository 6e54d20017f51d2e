import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Cluster } from '../../../../src/cluster/cluster.ts';
import type { Need } from '../../../../src/cluster/status.ts';
import type { Registration } from '../../../../src/config/schema.ts';
import { renewalNeeds } from '../../../../src/operations/renew/prepare.ts';
import { rotationNeeds } from '../../../../src/operations/rotate/needs.ts';
import type { RotateRequest } from '../../../../src/operations/rotation/request.ts';
import { rotateRequest } from '../rotation/fixture.ts';

/** docs/permissions.md lists exactly what `rotate` asks for. */

const registration = {
  metadata: { namespace: 'wardle', name: 'api' },
  spec: { service: { name: 'api' }, certificates: { issuer: { type: 'self-signed', caKey: 'file' } }, server: {} },
} as unknown as Registration;

/** The rights of a table: `get secrets`, with the text of the first column. */
function documented(from: string, to: string): { readonly cell: string; readonly right: string }[] {
  const page = readFileSync(join(import.meta.dirname, '../../../../docs/permissions.md'), 'utf8');
  const [, section = ''] = page.split(from);
  const rows = (section.split(to)[0] ?? '').split('\n').filter((line) => /^\| (?!Resource|-)/.test(line));
  return rows.flatMap((row) => {
    const [, cell = '', verbs = '', usedFor = ''] = row.split('|').map((each) => each.trim());
    const resources = cell
      .replace(/, with .*| in the .*/, '')
      .replace('the Secret', 'secrets')
      .replace('the Service', 'services')
      .replace('the Certificate', 'certificates');
    const rights = resources.split(', ').flatMap((resource) => verbs.split(', ').map((verb) => `${verb} ${resource}`));
    return rights.map((right) => ({ cell: `${cell} ${usedFor}`, right }));
  });
}

/** No step asks it before it runs. */
const cluster = {} as Cluster;

const rights = (needs: readonly Need[]): string[] => {
  const names = needs.map(
    ({ verb, ref: { resource } }) => `${verb} ${resource.plural}${resource.subresource ? `/${resource.subresource}` : ''}`,
  );
  return [...new Set(names)].sort();
};
const requestOf = (options: Partial<RotateRequest>) => rotateRequest('x', { registration, nudge: false, restart: 'auto', ...options });
const requested = (options: Partial<RotateRequest>): string[] => rights(rotationNeeds(cluster, requestOf(options)));
const page = (exclude: RegExp): string[] =>
  documented('\n## rotate\n', 'These permissions are optional:')
    .filter(({ cell }) => !exclude.test(cell))
    .map(({ right }) => right)
    .sort();

test('rotate --as asks for the lists of the checks at the end too, which it can do without', () => {
  const apis = [{ group: 'example.com' }, { group: 'example.com' }];
  const request = requestOf({ registration: { ...registration, spec: { ...registration.spec, apis } } as Registration });
  const as = rotationNeeds({ as: 'jane' } as Cluster, request).filter(({ optional }) => optional);
  expect(as).toMatchObject([{ verb: 'list', ref: { resource: { apiVersion: 'example.com/*', plural: '*' }, name: '*' } }]);
  expect(rotationNeeds(cluster, request).filter(({ optional }) => optional)).toEqual([]);
});

test.each([
  ['rotate', {}, /new CA|--nudge/],
  ['rotate --ca', { kind: 'ca' }, /--nudge/],
  ['rotate --abort', { abort: true }, /--nudge/],
  ['rotate --nudge', { nudge: true }, /new CA/],
  ['rotate --restart never', { restart: 'never' }, /new CA|--nudge|restart|same flag/i],
] as const)('%s needs what the page lists, and nothing else', (_, options, exclude) => {
  expect(requested(options)).toEqual(page(exclude));
  expect(requested(options).length).toBeGreaterThan(10);
});

test.each([
  ['leaf', '\nWith a new CA, it needs'],
  ['ca', '\nThese permissions are optional. Without them, `rotate` does not'],
] as const)('the issuer cert-manager needs what the page lists for it: %s', (kind, end) => {
  const own = documented('\nWith the issuer `cert-manager`', end).map(({ right }) => right);
  const others = page(/new CA|--nudge/).filter((right) => right !== 'patch secrets');
  const needs = renewalNeeds(cluster, requestOf({ kind, soakMs: 0 }));
  expect(rights(needs.filter(({ optional }) => !optional))).toEqual([...new Set([...others, ...own])].sort());
});

test.each([
  [undefined, ['get secrets']],
  [{ name: 'company', kind: 'ClusterIssuer', group: 'cert-manager.io' }, ['get clusterissuers']],
  [{ name: 'company', kind: 'Issuer', group: 'cert-manager.io' }, ['get issuers']],
  [{ name: 'company', kind: 'Issuer', group: 'example.com' }, []],
])('of the issuer of cert-manager it reads what it can do without: %j', (issuerRef, expected) => {
  const { metadata, spec } = registration;
  const certificates = { issuer: { type: 'cert-manager', issuerRef } };
  const request = requestOf({ registration: { metadata, spec: { ...spec, certificates } } as unknown as Registration, soakMs: 0 });
  expect(rights(renewalNeeds(cluster, request).filter(({ optional }) => optional))).toEqual(expected);
});

test.each([
  ['rotate --ca', { kind: 'ca' }],
  ['rotate --abort', { abort: true }],
] as const)('%s needs the Secret that has the key of the CA', (_, options) => {
  const { metadata, spec } = registration;
  const certificates = { issuer: { type: 'self-signed', caKey: 'secret', caSecretName: 'own-ca' } };
  const inSecret = { metadata, spec: { ...spec, certificates } } as unknown as Registration;
  const needs = rotationNeeds(cluster, rotateRequest('x', { registration: inSecret, restart: 'auto', ...options }));
  const verbs = needs.filter(({ ref }) => ref.name === 'own-ca').map(({ verb }) => verb);
  expect([...new Set(verbs)]).toEqual(['get', 'patch']);
  const leaf = rotationNeeds(cluster, rotateRequest('x', { registration: inSecret, restart: 'auto' }));
  expect(leaf.some(({ ref }) => ref.name === 'own-ca')).toBe(false);
});

test('a server outside the cluster needs no Secret and no pods', () => {
  const { metadata, spec } = registration;
  const external = { metadata, spec: { ...spec, server: { external: true } } } as unknown as Registration;
  const listed = page(/new CA|--nudge/).filter((right) => /leases|apiservices|services|endpointslices/.test(right));
  expect(requested({ registration: external })).toEqual(listed);
});
