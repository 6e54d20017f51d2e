#!/usr/bin/env node
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { buildFlags, cacheDir, findComponents, kubernetesVersion, moduleDir } from './components.mjs';

/** Builds what the cluster tests need and don't have yet: about 8 minutes on 2 cores the first time, nothing after that. */

/** @param {number} since milliseconds, from performance.now() */
const seconds = (since) => `${((performance.now() - since) / 1000).toFixed(1)} s`;

/**
 * Builds one program beside its place, then renames it: a build that was cut short never looks like a finished one.
 * @param {import('./components.mjs').Component} component
 * @param {string} folder
 */
function build({ name, package: goPackage }, folder) {
  const started = performance.now();
  console.error(`${name}: building ${goPackage}`);
  const work = mkdtempSync(join(folder, '.build-'));
  try {
    const output = join(work, name);
    const { status, error, signal } = spawnSync('go', ['build', ...buildFlags, '-o', output, goPackage], {
      cwd: moduleDir,
      env: { ...process.env, CGO_ENABLED: '0', GOWORK: 'off' },
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    if (status !== 0) fail(`${name}: go build ended with ${error?.message ?? signal ?? `exit code ${status}`}`);
    renameSync(output, join(folder, name));
    console.error(`${name}: built in ${seconds(started)}`);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** @param {string} message */
function fail(message) {
  throw new Error(message);
}

function main() {
  const { missing } = findComponents();
  if (missing.length === 0) return console.error(`Kubernetes ${kubernetesVersion} components: all there`);
  const names = missing.map(({ name }) => name).join(', ');
  if (spawnSync('go', ['version']).status !== 0) {
    fail(
      `Go is needed to build ${names}, and was not found. Install Go (https://go.dev/dl), or point KUBEBUILDER_ASSETS to a folder with them.`,
    );
  }
  const started = performance.now();
  const folder = cacheDir();
  mkdirSync(folder, { recursive: true });
  console.error(`Kubernetes ${kubernetesVersion} components: building ${names} into ${folder} (minutes the first time)`);
  for (const component of missing) build(component, folder);
  console.error(`Kubernetes ${kubernetesVersion} components: done in ${seconds(started)}`);
}

try {
  main();
} catch (error) {
  console.error(`build-components: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
