#!/usr/bin/env node
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { buildFlags, cacheDir, findComponents, moduleDir } from './components.mjs';
import { nodeBinary } from './release/node-binary.mjs';
import { targets } from './release/targets.mjs';

/**
 * Builds the missing programs of the cluster tests. The first build takes 25 to 40 minutes on 2
 * cores. On Linux x64, it also downloads the Node.js of the executable that the distribution tier
 * makes.
 */

/** @param {number} since milliseconds, from performance.now() */
const seconds = (since) => `${((performance.now() - since) / 1000).toFixed(1)} s`;

/**
 * Builds one program in a temporary folder, then renames it, so an interrupted build never looks
 * complete.
 * @param {import('./components.mjs').Component} component
 */
function build({ name, package: goPackage, module, isFolder }) {
  const started = performance.now();
  console.error(`${module}: ${isFolder ? 'copying' : 'building'} ${name}`);
  const folder = cacheDir(module);
  mkdirSync(folder, { recursive: true });
  const work = mkdtempSync(join(folder, '.build-'));
  try {
    const output = join(work, name);
    if (isFolder) cpSync(join(JSON.parse(go(module, 'mod', 'download', '-json', goPackage)).Dir, name), output, { recursive: true });
    else go(module, 'build', ...buildFlags(module), '-o', output, goPackage);
    const target = join(folder, name);
    mkdirSync(dirname(target), { recursive: true });
    renameSync(output, target);
    console.error(`${module}: ${name} done in ${seconds(started)}`);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/**
 * Runs the go command in a module of the cluster tests.
 * @param {string} module
 * @param {string[]} args
 * @returns {string} its standard output
 * @throws {Error} if it fails
 */
function go(module, ...args) {
  const { status, error, signal, stdout } = spawnSync('go', args, {
    cwd: moduleDir(module),
    // Without cgo the programs are static, so they also run in container images without a libc.
    env: { ...process.env, CGO_ENABLED: '0', GOWORK: 'off' },
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
  });
  if (status !== 0) fail(`${module}: go ${args[0]} ended with ${error?.message ?? signal ?? `exit code ${status}`}`);
  return stdout;
}

/** @param {string} message */
function fail(message) {
  throw new Error(message);
}

function main() {
  if (process.platform === 'linux' && process.arch === 'x64') nodeBinary(targets[0]);
  const { missing } = findComponents();
  if (missing.length === 0) return console.error('Components of the cluster tests: up to date');
  const names = missing.map(({ name, module }) => `${name} (${module})`).join(', ');
  if (spawnSync('go', ['version']).status !== 0) {
    fail(
      `go not found, which is needed to build ${names}. Install Go (https://go.dev/dl), or set KUBEBUILDER_ASSETS to a folder with the programs of the newest Kubernetes.`,
    );
  }
  const started = performance.now();
  console.error(`Components of the cluster tests: building ${names} (minutes the first time)`);
  for (const component of missing) build(component);
  console.error(`Components of the cluster tests: done in ${seconds(started)}`);
}

try {
  main();
} catch (error) {
  console.error(`build-components: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
