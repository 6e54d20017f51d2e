import { existsSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { cells } from './components.mjs';
import { root } from './setup.mjs';

/** The tiers of the tests, and the selection of tiers by the arguments of scripts/test.mjs. */

/** @typedef {import('./tiers.d.mts').Tier} Tier */

/** @type {readonly Tier[]} */
export const tiers = [
  { name: 'unit', project: 'unit', needs: [], env: {} },
  { name: 'cli', project: 'cli', needs: [], env: {} },
  { name: 'sandbox', project: 'sandbox', needs: [], env: {} },
  { name: 'distribution', project: 'distribution', needs: ['cluster', 'distribution'], env: {} },
  { name: 'cluster', project: 'cluster', needs: ['cluster'], env: {} },
  { name: 'control-planes', project: 'control-planes', needs: ['cluster'], env: {} },
  // The node tiers run the same specs with real pods, one tier for each kind of control plane.
  ...cells.map((cell) => ({
    name: `node-${cell}`,
    project: 'node',
    needs: /** @type {import('./packages.d.mts').Use[]} */ (['cluster', 'node']),
    env: { APISVC_CELL: cell },
  })),
  ...['1.37-routing', '1.35', '1.37'].map((cell) => ({
    name: `rotation-${cell}`,
    project: 'rotation',
    needs: /** @type {import('./packages.d.mts').Use[]} */ (['cluster', 'node']),
    env: { APISVC_CELL: cell },
  })),
];

/**
 * Which tiers run at the same time. The specs of rotations fail where kube-apiserver does not
 * answer for seconds, so most of them run without the others but short ones. Those of rotation-1.37
 * mostly wait. Those of cli fill the end of a stage: they are short, and use the whole processor.
 * @type {readonly (readonly (readonly string[])[])[]} stages, one after another; lanes, at the same
 * time; names of tiers, one after another
 */
const stages = [
  [
    ['unit', 'cluster', 'cli'],
    ['sandbox', 'node-1.37', 'node-1.35-routing'],
    ['rotation-1.37', 'node-1.37-routing', 'node-1.35'],
  ],
  [['rotation-1.37-routing'], ['rotation-1.35', 'control-planes', 'distribution']],
];

/**
 * Divides tiers into stages and lanes.
 * @param {readonly Tier[]} selected
 * @returns {Tier[][][]} without empty lanes and stages
 */
export function stagesOf(selected) {
  const find = (/** @type {string} */ name) => selected.filter((tier) => tier.name === name);
  return stages
    .map((lanes) => lanes.map((names) => names.flatMap(find)).filter((lane) => lane.length > 0))
    .filter((lanes) => lanes.length > 0);
}

/**
 * The folders of projects whose specs are not in test/NAME, but below test/cluster.
 * @type {Readonly<Record<string, readonly string[]>>}
 */
const ownFolders = {
  'control-planes': ['test/cluster/control-planes'],
  node: ['test/cluster/node', 'test/cluster/laboratory'],
  rotation: ['test/cluster/rotation'],
};

/** @param {string} path @param {string} folder */
const isIn = (path, folder) => path === folder || path.startsWith(`${folder}/`);

/**
 * The projects with tests in a file or directory.
 * @param {string} path relative to the root of the repository, with slashes
 * @returns {string[]}
 */
function projectsOf(path) {
  const [own] = Object.entries(ownFolders).find(([, folders]) => folders.some((folder) => isIn(path, folder))) ?? [];
  if (own !== undefined) return [own];
  const all = [...new Set(tiers.map(({ project }) => project))];
  return all.filter((project) => (ownFolders[project] ?? [`test/${project}`]).some((folder) => isIn(path, folder) || isIn(folder, path)));
}

/**
 * The cell for the specs of a path. One is enough; this is the one that runs most of them.
 * @param {string} path
 */
function defaultCell(path) {
  if (isIn(path, 'test/cluster/rotation/apart')) return '1.37';
  return ['test/cluster/laboratory', 'test/cluster/rotation'].some((folder) => isIn(path, folder)) ? '1.37-routing' : '1.37';
}

/**
 * Parses the command line: `--all`, `--cluster`, names of tiers or paths, followed by flags
 * for vitest.
 * @param {string[]} args
 * @param {Readonly<Record<string, string | undefined>>} env APISVC_TIERS, APISVC_CELL
 * @returns {import('./tiers.d.mts').Selection}
 * @throws {Error} for an unknown tier or a path without tests, which would pass without running a
 * test
 */
export function selection(args, env) {
  const isCluster = args[0] === '--cluster';
  const mustRun = isCluster || args[0] === '--all';
  const rest = mustRun ? args.slice(1) : args;
  const firstFlag = rest.findIndex((arg) => arg.startsWith('-'));
  const words = firstFlag === -1 ? rest : rest.slice(0, firstFlag);
  const flags = firstFlag === -1 ? [] : rest.slice(firstFlag);
  const names = words.filter((word) => tiers.some(({ name }) => name === word));
  const paths = words.filter((word) => !names.includes(word)).map(testPath);
  const requested = names.length > 0 ? names : env.APISVC_TIERS?.split(',');
  const unknown = requested?.find((name) => !tiers.some((tier) => tier.name === name));
  if (unknown !== undefined) throw new Error(`unknown tier "${unknown}": use ${tiers.map(({ name }) => name).join(', ')}`);

  const selected = tiers
    .filter(({ name, needs }) => (requested ? requested.includes(name) : true) && (needs.length > 0 || !isCluster))
    .filter((tier) => paths.length === 0 || paths.some((path) => hasTests(tier, path, requested ?? [], env.APISVC_CELL)));
  if (selected.length === 0) throw new Error(`no tier has tests in ${paths.join(', ')}`);
  const isFiltered = paths.length > 0 || flags.length > 0;
  const isExplicit = names.length > 0 || isFiltered || isCluster;
  const others = isExplicit ? [] : tiers.filter((tier) => !selected.includes(tier));
  return { selected, others, filters: [...paths, ...flags], isExplicit, isFiltered, mustRun };
}

/**
 * @param {Tier} tier
 * @param {string} path
 * @param {string[]} requested
 * @param {string | undefined} cell
 */
function hasTests({ name, project, env }, path, requested, cell) {
  if (!projectsOf(path).includes(project)) return false;
  return env.APISVC_CELL === undefined || requested.includes(name) || env.APISVC_CELL === (cell ?? defaultCell(path));
}

/**
 * Converts a path below test/ to one relative to the root of the repository.
 * @param {string} given
 * @throws {Error} if it does not exist
 */
function testPath(given) {
  const path = relative(root, resolve(given)).split(sep).join('/');
  if (!existsSync(join(root, path)))
    throw new Error(`${given} not found: name a tier (${tiers.map(({ name }) => name).join(', ')}) or a path`);
  if (projectsOf(path).length === 0) throw new Error(`${given} has no tests: they are in test/`);
  return path;
}
