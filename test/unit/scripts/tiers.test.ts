import { expect, test } from 'vitest';
import { selection, tiers } from '../../../scripts/tiers.mjs';

const names = (args: string[], env = {}): string[] => selection(args, env).selected.map(({ name }) => name);
const cluster = ['cluster', 'node-1.37', 'node-1.37-routing', 'node-1.35', 'node-1.35-routing'];

test.each([
  [[], tiers.map(({ name }) => name)],
  [['unit'], ['unit']],
  [['--cluster'], cluster],
  [['test/unit/pki'], ['unit']],
  [['test/unit/pki/trust.test.ts', '-t', 'an expired CA'], ['unit']],
  [['test/cli/help.test.ts'], ['cli']],
  [['test/cluster/rights.test.ts'], ['cluster']],
  [['test/cluster/node/metrics-server.test.ts'], ['node-1.37']],
  [['test/cluster/laboratory'], ['node-1.37-routing']],
  [
    ['test/sandbox', 'test/unit/docs.test.ts'],
    ['unit', 'sandbox'],
  ],
  [['--cluster', 'test/cluster/rights.test.ts'], ['cluster']],
  [['unit', 'test/unit/pki'], ['unit']],
])('npm test -- %j', (args, expected) => {
  expect(names(args)).toEqual(expected);
});

test('the environment selects the tiers, and the control plane of a node spec', () => {
  expect(names([], { APISVC_TIERS: 'unit,node-1.35' })).toEqual(['unit', 'node-1.35']);
  expect(names(['test/cluster/node/node.test.ts'], { APISVC_CELL: '1.35' })).toEqual(['node-1.35']);
});

test('npm test lists the tiers that are not selected', () => {
  expect(selection([], { APISVC_TIERS: 'unit' }).others.map(({ name }) => name)).toEqual(['cli', 'sandbox', ...cluster]);
  expect(selection(['unit'], {})).toMatchObject({ others: [], isExplicit: true, isFiltered: false });
});

test('paths and flags are passed to vitest', () => {
  expect(selection(['test/unit/pki', '-t', 'name'], {})).toMatchObject({ filters: ['test/unit/pki', '-t', 'name'], isFiltered: true });
});

test.each([
  [['nope'], /nope not found/],
  [['src/pki'], /src\/pki has no tests/],
  [['cli', 'test/unit/pki'], /no tier has tests in test\/unit\/pki/],
])('%j is an error', (args, message) => {
  expect(() => selection(args, {})).toThrow(message);
});

test('an unknown tier is an error', () => {
  expect(() => selection([], { APISVC_TIERS: 'unit,node' })).toThrow('unknown tier "node"');
});
