import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Code, matchesCode } from '../../../src/diagnosis/catalog.ts';
import type { Finding } from '../../../src/diagnosis/types.ts';
import type { ApiSnapshot } from '../../../src/snapshot/types.ts';
import { everything } from './everything.ts';
import { faults } from './faults.ts';
import { diagnosed } from './snapshots.ts';

/** Two independent faults at once. */

interface Rule {
  /** Codes, or families as `cert/*`. */
  readonly hiding: readonly string[];
  /** What cannot be found while one of `hiding` exists. */
  readonly hidden: readonly string[];
}

const noAnswer = [
  'registration/outdated-annotation',
  'service/*',
  'endpoints/*',
  'network/*',
  'bundle/*',
  'cert/*',
  'auth/*',
  'discovery/*',
  'control-plane/*',
];

const rules: readonly Rule[] = [
  // No backend.
  { hiding: ['registration/missing', 'registration/local-with-trust'], hidden: ['*/*'] },
  // kube-apiserver does not verify the certificate.
  {
    hiding: ['security/insecure-skip-tls-verify', 'registration/injector-blocked', 'registration/insecure-with-bundle'],
    hidden: ['cert/*', 'bundle/*', 'control-plane/clock-skew', 'control-plane/wrong-clock'],
  },
  // No certificate is served, or not by the expected server.
  {
    hiding: [
      'endpoints/*',
      'network/*',
      'service/*',
      'bundle/*',
      'cert-manager/*',
      'cert/secret-missing',
      'cert/secret-unreadable',
      'auth/reader-missing',
      'auth/proxy-certificate-refused',
    ],
    hidden: ['cert/*'],
  },
  // No address to connect to, so messages about connections are out of date.
  {
    hiding: ['service/*', 'endpoints/*', 'registration/service-incomplete'],
    hidden: ['bundle/empty', 'discovery/slow', 'network/*', 'endpoints/*', 'auth/proxy-certificate-refused', 'control-plane/wrong-clock'],
  },
  // The Service or its port does not exist.
  { hiding: ['service/*', 'registration/service-incomplete'], hidden: ['service/*', 'endpoints/*', 'network/*'] },
  // Faults of an API that works, or whose endpoints are all ok.
  {
    hiding: [...noAnswer, 'cert-manager/*'],
    hidden: ['discovery/not-in-group', 'discovery/not-listed', 'discovery/openapi-missing', 'control-plane/*', 'bundle/unused-ca'],
  },
  // Without an answer, it is unknown whether the server accepts a forged identity.
  { hiding: ['discovery/slow'], hidden: ['security/forged-identity-accepted'] },
  // Another caBundle or serving certificate is not the one of the project either.
  {
    hiding: ['bundle/not-project-ca', 'cert/not-project-certificate'],
    hidden: ['bundle/*', 'cert/*', 'registration/outdated-annotation', 'control-plane/clock-skew'],
  },
  // With another fault, the API does not work, so the condition is not stale.
  { hiding: ['control-plane/stale-condition'], hidden: ['cert/*'] },
];

const hides = (one: Code, other: Code): boolean =>
  rules.some(({ hiding, hidden }) => matchesCode(one, hiding) && (hidden.includes('*/*') || matchesCode(other, hidden)));

const list = Object.entries(faults) as readonly [Code, Partial<ApiSnapshot>][];
const independent = (one: Partial<ApiSnapshot>, other: Partial<ApiSnapshot>): boolean => Object.keys(one).every((key) => !(key in other));

const pair = fc
  .tuple(fc.constantFrom(...list), fc.constantFrom(...list))
  .filter(([[one, change], [other, another]]) => one !== other && independent(change, another) && !hides(one, other) && !hides(other, one));

/** All codes, including symptoms. */
const codesIn = (findings: readonly Finding[]): Code[] => findings.flatMap(({ code, explains }) => [code, ...codesIn(explains)]);

test('two independent faults are both found, and nothing else', () => {
  fc.assert(
    fc.property(pair, ([[one, change], [other, another]]) => {
      const { findings } = diagnosed({ ...everything, ...change, ...another });
      expect(codesIn(findings)).toEqual(expect.arrayContaining([one, other]));
      expect([one, other]).toEqual(expect.arrayContaining(findings.map(({ code }) => code)));
    }),
    { numRuns: 150 },
  );
});

test('the order of findings does not depend on the order of faults', () => {
  fc.assert(
    fc.property(pair, ([[, change], [, another]]) => {
      expect(diagnosed({ ...everything, ...change, ...another })).toEqual(diagnosed({ ...everything, ...another, ...change }));
    }),
    { numRuns: 30 },
  );
});
