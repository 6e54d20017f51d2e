#!/usr/bin/env node
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { buildExecutable } from './release/executable.mjs';
import { canMakeImage, makeImage } from './release/image.mjs';
import { krewManifest } from './release/krew.mjs';
import { licenceOf, nodeBinary, sha256Of } from './release/node-binary.mjs';
import { repositoryName, repositoryUrl } from './release/repository.mjs';
import { sbomOf } from './release/sbom.mjs';
import { tarFlags } from './release/tar.mjs';
import { builders, targets } from './release/targets.mjs';
import { build, heading, install, root } from './setup.mjs';

/**
 * `npm run release` makes all that a release consists of, in release/: the npm package, an archive
 * with an executable for each platform, the container image and the list of what it contains, the
 * manifest for krew, and checksums. It publishes nothing. It runs on Linux x64. The same commit
 * gives the same files, with the same Debian libraries.
 *
 * - `--dry-run`: the commit may be another one than the tag of the version
 * - `--expect OWNER/NAME@TAG`: package.json must have this repository, and the version of the tag
 * - `--only linux-x64,macos-x64`: only these platforms
 * - `--output DIR`: another folder
 * - `--no-build`: the bundle in dist/ is up to date
 */
const { values: options } = parseArgs({
  options: {
    'dry-run': { type: 'boolean' },
    expect: { type: 'string' },
    only: { type: 'string' },
    output: { type: 'string', default: 'release' },
    build: { type: 'boolean', default: true },
  },
  allowNegative: true,
});
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const output = resolve(options.output);

/** @param {string} message @returns {never} */
function fail(message) {
  console.error(`error: ${message}`);
  process.exit(2);
}

/** @param {string[]} args */
const git = (...args) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();

function requireTag() {
  if (git('status', '--porcelain') !== '') fail('uncommitted changes: commit them, or use --dry-run');
  if (!git('tag', '--points-at', 'HEAD').split('\n').includes(`v${version}`)) {
    fail(`the commit has no tag v${version}, the version of package.json: create it, or use --dry-run`);
  }
}

/** @returns {import('./release/targets.mjs').Target[]} the targets of --only */
function selectedTargets() {
  const names = options.only?.split(',') ?? targets.map(({ name }) => name);
  const unknown = names.find((name) => !targets.some((target) => target.name === name));
  if (unknown !== undefined) fail(`unknown platform "${unknown}": use ${targets.map(({ name }) => name).join(', ')}`);
  return targets.filter(({ name }) => names.includes(name));
}

/**
 * Makes the archive of a platform: the executable and the licences.
 * @param {import('./release/targets.mjs').Target} target
 */
function makeArchive(target) {
  const started = performance.now();
  const work = mkdtempSync(join(tmpdir(), 'apisvc-release-'));
  try {
    const hasCode = buildExecutable(target, join(work, target.os === 'windows' ? 'apisvc.exe' : 'apisvc'));
    copyFileSync(join(root, 'LICENSE'), join(work, 'LICENSE'));
    const notices = readFileSync(join(root, 'dist', 'THIRD-PARTY-NOTICES.txt'), 'utf8');
    const node = `Node.js ${target.version}\n\n${licenceOf(nodeBinary(builders[target.version]))}`;
    writeFileSync(join(work, 'THIRD-PARTY-NOTICES.txt'), `${notices}\n\n----\n\n${node}`);
    const file = `apisvc-${version}-${target.name}.tar.gz`;
    execFileSync('tar', [...tarFlags, '--mode=a=rX,u+w', '-I', 'gzip -n', '-cf', join(output, file), '-C', work, ...readdirSync(work)]);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(
      `${target.name}: done in ${seconds} s${hasCode ? '' : ', without compiled code: its Node.js does not run on this machine'}`,
    );
    return { target, file, sha256: sha256Of(join(output, file)) };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/**
 * Makes the container image of the platforms whose libraries this machine has, and its SBOM.
 * @param {ReturnType<typeof makeArchive>[]} archives
 */
function writeImage(archives) {
  const platforms = archives
    .filter(({ target }) => canMakeImage(target))
    .map(({ target, file }) => ({ target, archive: join(output, file) }));
  for (const { target } of archives.filter(({ target: { os } }) => os === 'linux')) {
    const has = platforms.some((platform) => platform.target === target);
    console.log(`${target.name}: ${has ? 'in the image' : 'not in the image: its Debian libraries are not installed'}`);
  }
  if (platforms.length === 0) return;
  const about = { version, repository: repositoryUrl };
  const debian = makeImage({ ...about, platforms, output: join(output, `apisvc-${version}-image.tar`) });
  const notices = readFileSync(join(root, 'dist', 'THIRD-PARTY-NOTICES.txt'), 'utf8');
  const created = new Date(git('log', '-1', '--format=%cI')).toISOString().replace('.000Z', 'Z');
  const sbom = sbomOf({ ...about, created, node: platforms[0].target.version, notices, debian });
  writeFileSync(join(output, `apisvc-${version}-image.spdx.json`), `${JSON.stringify(sbom, null, 2)}\n`);
}

function makeRelease() {
  const own = `${repositoryName}@v${version}`;
  if (options.expect !== undefined && options.expect !== own) fail(`package.json describes ${own}, not ${options.expect}`);
  if (`${process.platform}-${process.arch}` !== 'linux-x64') fail('a release is made on Linux x64');
  if (!options['dry-run']) requireTag();
  const selected = selectedTargets();
  // npm pack keeps the modes of the files that the build writes.
  process.umask(0o022);
  if (options.build && (!install() || !build())) process.exit(1);

  rmSync(output, { recursive: true, force: true });
  mkdirSync(output, { recursive: true });
  heading('npm package');
  const pack = ['pack', '--silent', '--ignore-scripts', '--pack-destination', output];
  execFileSync('npm', pack, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  heading('executables');
  const archives = selected.map(makeArchive);
  heading('container image');
  writeImage(archives);
  writeFileSync(join(output, 'apisvc.yaml'), krewManifest({ version, repository: repositoryUrl }, archives));
  // As sha256sum prints them.
  const checksums = readdirSync(output).map((name) => `${sha256Of(join(output, name))}  ${name}\n`);
  writeFileSync(join(output, 'checksums.txt'), checksums.join(''));
  console.log(`\n${checksums.join('')}`);
}

try {
  makeRelease();
} catch (error) {
  console.error(`error: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
