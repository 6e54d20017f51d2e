// npm run bench measures how fast and how large apisvc is. Every time is compared with another
// command of the same run. The figures with a cluster need root and the components of the cluster
// tests, which npm run test:cluster builds. npm run bench -- executable measures only the
// executable; npm run bench -- contexts only many contexts; npm run bench -- monitor only the
// memory and the requests of a monitor, in 20 minutes; npm run bench -- rotation only how many
// requests fail while certificates are rotated and servers are restarted, in hours.
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findComponents } from '../scripts/components.mjs';
import { loadTypescript } from '../scripts/load-typescript.mjs';
import { build, heading, install, root } from '../scripts/setup.mjs';
import { measure, must, printRatio } from './measure.mjs';

if (!install() || !build()) process.exit(1);
const cli = join(root, 'bin', 'apisvc.js');
const folder = mkdtempSync(join(tmpdir(), 'apisvc-bench-'));
const nodeMajor = Number(process.versions.node.split('.')[0]);
let projects = 0;

/** @param {string[]} args @param {import('node:child_process').SpawnSyncOptions} [options] */
const apisvc = (args, options) => must(process.execPath, [cli, ...args], options);
/** @param {string} keyType */
const init = (keyType) => () =>
  apisvc(['init', join(folder, `p${projects++}`), '--preset', 'sample-apiserver', '--yes', '--key-type', keyType]);

function startUp() {
  heading('start-up');
  const medians = measure(
    [
      { name: 'node -e 0', run: () => must(process.execPath, ['-e', '0']) },
      { name: 'apisvc --help', run: () => apisvc(['--help']) },
      { name: 'apisvc init', run: init('ecdsa-p256') },
    ],
    21,
  );
  printRatio(medians, 'apisvc --help', 'node -e 0', 'at most 1.2');
  // Node 24 itself starts in half the time.
  printRatio(medians, 'apisvc init', 'node -e 0', nodeMajor >= 24 ? 'at most 2.5' : 'at most 1.8');
}

/** Creates the same two certificates with openssl. */
function createWithOpenssl() {
  const dir = mkdtempSync(join(folder, 'openssl-'));
  const extensions = 'basicConstraints=critical,CA:FALSE\nextendedKeyUsage=serverAuth\nsubjectAltName=DNS:api.wardle.svc\n';
  writeFileSync(join(dir, 'ext'), extensions);
  const run = (/** @type {string} */ line) => must('openssl', line.split(' '), { cwd: dir });
  run('req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.crt -days 3650 -subj /CN=ca');
  run('req -newkey rsa:2048 -nodes -keyout tls.key -out tls.csr -subj /CN=api.wardle.svc');
  run('x509 -req -in tls.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 365 -extfile ext -out tls.crt');
}

function certificates() {
  heading('two RSA-2048 certificates');
  const medians = measure(
    [
      { name: 'openssl (3 commands)', run: createWithOpenssl },
      { name: 'apisvc init --key-type rsa-2048', run: init('rsa-2048') },
    ],
    21,
  );
  printRatio(medians, 'apisvc init --key-type rsa-2048', 'openssl (3 commands)', 'below 1');
}

/** Lints a file with many APIServices, each with its Service. */
async function lint() {
  heading('lint of 3,000 APIServices with their Services');
  const { manifestsOf } = await loadTypescript('bench/large-inputs.ts');
  const files = [1500, 3000].map((count) => ({ count, path: join(folder, `lint-${count}.yaml`) }));
  for (const { count, path } of files) writeFileSync(path, manifestsOf(count));
  const medians = measure(
    files.map(({ count, path }) => ({ name: `lint of ${count}`, run: () => apisvc(['lint', path, '-o', 'short', '--fail-on', 'never']) })),
    5,
  );
  printRatio(medians, 'lint of 3000', 'lint of 1500', 'at most 2, below 2000 ms');
}

/** Whether this machine can't run a cluster; prints the reason. */
function skipCluster() {
  const { missing } = findComponents();
  if (missing.length === 0 && process.getuid?.() === 0) return false;
  console.log('SKIPPED: needs root and the components of the cluster tests (npm run test:cluster builds them)');
  return true;
}

async function largeInputs() {
  heading('large inputs');
  const { benchLargeInputs } = await import('./large-inputs.mjs');
  await benchLargeInputs();
}

async function cluster() {
  heading('verify on a real control plane');
  if (skipCluster()) return;
  const { registerSample } = await import('./registered.mjs');
  const { kubectl, env, name, path, addEndpoints, stop } = await registerSample(cli, folder);
  try {
    const compare = (/** @type {string} */ subject, /** @type {string} */ aim) => {
      const medians = measure(
        [
          { name: 'kubectl get --raw', run: () => must(kubectl, ['get', '--raw', path], { env }) },
          { name: subject, run: () => apisvc(['verify', name], { env }) },
        ],
        21,
      );
      printRatio(medians, subject, 'kubectl get --raw', aim);
    };
    compare('apisvc verify, one endpoint', 'at most 2.2');
    addEndpoints(2);
    compare('apisvc verify, three endpoints', 'at most 3.0');
  } finally {
    stop();
  }
}

async function wholeCluster() {
  heading('verify --all on 1,000 APIServices');
  if (skipCluster()) return;
  const { benchWholeCluster } = await import('./whole-cluster.mjs');
  await benchWholeCluster(cli, mkdtempSync(join(folder, 'whole-')));
}

/** @param {string | undefined} minutes */
async function monitor(minutes) {
  heading('monitor of 200 APIServices, one of which flaps');
  if (skipCluster()) return;
  const { benchMonitor } = await import('./monitor.mjs');
  await benchMonitor(cli, mkdtempSync(join(folder, 'monitor-')), Number(minutes ?? 20));
}

async function contexts() {
  heading('verify of 50 contexts, simulated');
  const { benchContexts } = await import('./contexts.mjs');
  await benchContexts(cli, mkdtempSync(join(folder, 'contexts-')));
}

async function sandbox() {
  heading('apisvc sandbox: the simulated engine and the real one');
  if (skipCluster()) return;
  const { benchSandbox } = await import('./sandbox.mjs');
  await benchSandbox(cli, mkdtempSync(join(folder, 'sandbox-')));
}

async function executable() {
  heading('the executable');
  if (`${process.platform}-${process.arch}` !== 'linux-x64') return console.log('SKIPPED: releases are made on Linux x64');
  const { benchExecutable } = await import('./executable.mjs');
  await benchExecutable(cli, mkdtempSync(join(folder, 'executable-')));
}

function sizes() {
  heading('sizes');
  const [{ size, unpackedSize }] = JSON.parse(must('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: root }));
  const bundle = readdirSync(join(root, 'dist')).filter((file) => file.endsWith('.cjs'));
  const bytes = bundle.reduce((sum, file) => sum + statSync(join(root, 'dist', file)).size, 0);
  const kB = (/** @type {number} */ value) => `${Math.round(value / 1000)} kB`;
  console.log(`package: ${kB(size)} packed, ${kB(unpackedSize)} unpacked`);
  console.log(
    `bundle: ${kB(bytes)} in ${bundle.length} files, of which every command loads ${kB(statSync(join(root, 'dist', 'main.cjs')).size)} (main.cjs)`,
  );
}

/** @param {string[]} args */
async function rotation(args) {
  heading('rotation and rolling restarts under load');
  if (skipCluster()) return;
  const { benchRotation } = await import('./rotation.mjs');
  if (!benchRotation(args)) process.exitCode = 1;
}

async function all() {
  startUp();
  certificates();
  await largeInputs();
  await lint();
  await cluster();
  await wholeCluster();
  await contexts();
  await sandbox();
  await executable();
  sizes();
}

const [subject, ...args] = process.argv.slice(2);
try {
  if (subject === 'rotation') await rotation(args);
  else if (subject === 'executable') await executable();
  else if (subject === 'monitor') await monitor(args[0]);
  else if (subject === 'contexts') await contexts();
  else await all();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exit();
