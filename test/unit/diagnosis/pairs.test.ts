import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Code, matchesCode } from '../../../src/diagnosis/catalog.ts';
import type { Finding } from '../../../src/diagnosis/types.ts';
import type { ApiSnapshot } from '../../../src/snapshot/types.ts';
import { everything, faults } from './faults.ts';
import { diagnosed } from './snapshots.ts';

/** Two faults at once, of everything that can be changed independently. */

interface Rule {
  /** With one of these ... */
  readonly hiding: readonly string[];
  /** ... nothing can be known of those. */
  readonly hidden: readonly string[];
}

const noAnswer = ['service/*', 'endpoints/*', 'network/*', 'bundle/*', 'cert/*', 'auth/*', 'discovery/*', 'control-plane/*'];

const rules: readonly Rule[] = [
  // There is no backend.
  { hiding: ['registration/missing', 'registration/local-with-trust'], hidden: ['*/*'] },
  // Nothing is verified.
  {
    hiding: ['security/insecure-skip-tls-verify', 'registration/injector-blocked', 'registration/insecure-with-bundle'],
    hidden: ['cert/*', 'bundle/*'],
  },
  // Nothing is served, or not by the server that was meant.
  {
    hiding: ['endpoints/*', 'network/*', 'service/*', 'bundle/*', 'cert/secret-missing', 'cert/secret-unreadable', 'auth/reader-missing'],
    hidden: ['cert/*'],
  },
  // Nobody is there to connect to, so what was said of connections is out of date.
  {
    hiding: ['service/*', 'endpoints/*', 'registration/service-incomplete'],
    hidden: ['bundle/empty', 'discovery/slow', 'network/*', 'auth/proxy-certificate-refused'],
  },
  // The Service has no such port, or is not there.
  { hiding: ['service/*', 'registration/service-incomplete'], hidden: ['service/*', 'endpoints/*', 'network/*'] },
  // These are faults of an API that works, or trust in one whose endpoints are all in order.
  {
    hiding: noAnswer,
    hidden: ['discovery/not-in-group', 'discovery/not-listed', 'discovery/openapi-missing', 'control-plane/*', 'bundle/unused-ca'],
  },
  // Without an answer nothing is known of whom the server believes.
  { hiding: ['discovery/slow'], hidden: ['security/forged-identity-accepted'] },
  // A stale condition with the words of a fault is one where the API does not work.
  { hiding: ['control-plane/stale-condition'], hidden: ['cert/*'] },
];

const hides = (one: Code, other: Code): boolean =>
  rules.some(({ hiding, hidden }) => matchesCode(one, hiding) && (hidden.includes('*/*') || matchesCode(other, hidden)));

const list = Object.entries(faults) as readonly [Code, Partial<ApiSnapshot>][];
const independent = (one: Partial<ApiSnapshot>, other: Partial<ApiSnapshot>): boolean => Object.keys(one).every((key) => !(key in other));

const pair = fc
  .tuple(fc.constantFrom(...list), fc.constantFrom(...list))
  .filter(([[one, change], [other, another]]) => one !== other && independent(change, another) && !hides(one, other) && !hides(other, one));

/** All codes, those beneath others too. */
const codesIn = (findings: readonly Finding[]): Code[] => findings.flatMap(({ code, explains }) => [code, ...codesIn(explains)]);

test('two independent faults are both found, and nothing else stands beside them', () => {
  fc.assert(
    fc.property(pair, ([[one, change], [other, another]]) => {
      const { findings } = diagnosed({ ...everything, ...change, ...another });
      expect(codesIn(findings)).toEqual(expect.arrayContaining([one, other]));
      expect([one, other]).toEqual(expect.arrayContaining(findings.map(({ code }) => code)));
    }),
    { numRuns: 150 },
  );
});

test('the order of findings does not depend on the order in which faults came', () => {
  fc.assert(
    fc.property(pair, ([[, change], [, another]]) => {
      expect(diagnosed({ ...everything, ...change, ...another })).toEqual(diagnosed({ ...everything, ...another, ...change }));
    }),
    { numRuns: 30 },
  );
});
