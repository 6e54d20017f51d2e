import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { selection, stagesOf, tiers } from '../../../scripts/tiers.mjs';
import config from '../../../vitest.config.ts';
import { longestFiles } from '../../longest-first.ts';

const names = (args: string[], env = {}): string[] => selection(args, env).selected.map(({ name }) => name);
const cells = ['1.37', '1.37-routing', '1.35', '1.35-routing'];
const rotation = ['rotation-1.37-routing', 'rotation-1.35', 'rotation-1.37'];
const cluster = ['distribution', 'cluster', 'control-planes', ...cells.map((cell) => `node-${cell}`), ...rotation];
const local = tiers.map(({ name }) => name).filter((name) => !cluster.includes(name));

test.each([
  [[], tiers.map(({ name }) => name)],
  [['unit'], ['unit']],
  [['--cluster'], cluster],
  [['--all'], tiers.map(({ name }) => name)],
  [['test/unit/pki'], ['unit']],
  [['test/unit/pki/trust.test.ts', '-t', 'an expired CA'], ['unit']],
  [['test/cli/help.test.ts'], ['cli']],
  [['test/cluster/rights.test.ts'], ['cluster']],
  [['test/cluster/node/metrics-server.test.ts'], ['node-1.37']],
  [['test/cluster/laboratory'], ['node-1.37-routing']],
  [['test/cluster/rotation'], ['rotation-1.37-routing']],
  [['test/cluster/rotation/apart/two-apiservers.test.ts'], ['rotation-1.37']],
  [['test/cluster/control-planes/network.test.ts'], ['control-planes']],
  [
    ['test/sandbox', 'test/unit/docs.test.ts'],
    ['unit', 'sandbox'],
  ],
  [['--cluster', 'test/cluster/rights.test.ts'], ['cluster']],
  [['unit', 'test/unit/pki'], ['unit']],
])('npm test -- %j', (args, expected) => {
  expect(names(args)).toEqual(expected);
});

const projects = (config.test?.projects ?? []).map((project) => {
  const { name, include } = (project as { test: { name: string; include: string[] } }).test;
  return { name, include };
});

test('every project of vitest.config.ts has a tier', () => {
  expect([...new Set(tiers.map(({ project }) => project))]).toEqual(projects.map(({ name }) => name));
});

test.each(longestFiles)('%s, which starts early, exists', (path) => {
  expect(existsSync(path)).toBe(true);
});

test('every tier runs once, in its stage', () => {
  expect(stagesOf(tiers).flat(2)).toHaveLength(tiers.length);
  expect(new Set(stagesOf(tiers).flat(2))).toEqual(new Set(tiers));
  expect(stagesOf(selection(['rotation-1.35', 'sandbox'], {}).selected).map((lanes) => lanes.flat().map(({ name }) => name))).toEqual([
    ['sandbox'],
    ['rotation-1.35'],
  ]);
});

test.each(projects)('the folder of project $name selects its tier', ({ name, include: [pattern = ''] }) => {
  const folder = pattern.slice(0, pattern.indexOf('/*'));
  expect(selection([folder], {}).selected.map(({ project }) => project)).toContain(name);
});

test.each(tiers.filter(({ needs }) => needs.length === 0))('package.json has a script for tier $name', ({ name }) => {
  const { scripts } = JSON.parse(readFileSync(join(import.meta.dirname, '..', '..', '..', 'package.json'), 'utf8'));
  expect(scripts[`test:${name}`]).toBe(`node scripts/test.mjs ${name}`);
});

test('npm run test:all runs the checks too, and every tier must run', () => {
  expect(selection(['--all'], {})).toMatchObject({ isExplicit: false, mustRun: true, filters: [] });
});

test('the environment selects the tiers, and the control plane of a node spec', () => {
  expect(names([], { APISVC_TIERS: 'unit,node-1.35' })).toEqual(['unit', 'node-1.35']);
  expect(names(['test/cluster/node/node.test.ts'], { APISVC_CELL: '1.35' })).toEqual(['node-1.35']);
});

test('npm test lists the tiers that are not selected', () => {
  expect(selection([], { APISVC_TIERS: 'unit' }).others.map(({ name }) => name)).toEqual([...local.slice(1), ...cluster]);
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
