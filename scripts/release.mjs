#!/usr/bin/env node
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { buildExecutable } from './release/executable.mjs';
import { licenceOf, nodeBinary } from './release/node-binary.mjs';
import { builders, targets } from './release/targets.mjs';
import { build, heading, install, root } from './setup.mjs';

/**
 * `npm run release -- --dry-run` makes all that a release consists of, in release/: the npm
 * package, an archive with an executable for each platform, and their checksums. On Linux x64.
 *
 * - `--only linux-x64,macos-x64`: only these platforms
 * - `--output DIR`: another folder
 * - `--no-build`: the bundle in dist/ is up to date
 */
const { values: options } = parseArgs({
  options: {
    'dry-run': { type: 'boolean' },
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
    const builder = builders[target.version];
    const node = `Node.js ${target.version}\n\n${licenceOf(nodeBinary(builder))}`;
    const notices = readFileSync(join(root, 'dist', 'THIRD-PARTY-NOTICES.txt'), 'utf8');
    writeFileSync(join(work, 'THIRD-PARTY-NOTICES.txt'), `${notices}\n\n----\n\n${node}`);
    const sameEveryTime = ['--sort=name', '--owner=0', '--group=0', '--numeric-owner', '--mtime=@0', '--mode=a=rX,u+w'];
    const archive = join(output, `apisvc-${version}-${target.name}.tar.gz`);
    execFileSync('tar', [...sameEveryTime, '-I', 'gzip -n', '-cf', archive, '-C', work, ...readdirSync(work)]);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(`${target.name}: done in ${seconds} s${hasCode ? '' : ', without compiled code: not of this machine'}`);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** As `sha256sum` prints them. */
function writeChecksums() {
  const lines = readdirSync(output).map((name) => {
    const sum = createHash('sha256').update(readFileSync(join(output, name)));
    return `${sum.digest('hex')}  ${name}\n`;
  });
  writeFileSync(join(output, 'checksums.txt'), lines.join(''));
}

if (`${process.platform}-${process.arch}` !== 'linux-x64') fail('a release is made on Linux x64');
if (!options['dry-run']) fail('only --dry-run: .github/workflows/release.yml publishes');
const names = options.only?.split(',') ?? targets.map(({ name }) => name);
const unknown = names.find((name) => !targets.some((target) => target.name === name));
if (unknown !== undefined) fail(`unknown platform "${unknown}": use ${targets.map(({ name }) => name).join(', ')}`);
if (options.build && (!install() || !build())) process.exit(1);

rmSync(output, { recursive: true, force: true });
mkdirSync(output, { recursive: true });
heading('npm package');
execFileSync('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', output], {
  cwd: root,
  stdio: ['ignore', 'inherit', 'inherit'],
});
heading('executables');
for (const target of targets.filter(({ name }) => names.includes(name))) makeArchive(target);
writeChecksums();
console.log(`\n${readFileSync(join(output, 'checksums.txt'), 'utf8')}`);
