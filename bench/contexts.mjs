// Verifies 50 contexts, one of which never answers. The control planes are simulated: all of them
// run in one process of their own.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { loadTypescript } from '../scripts/load-typescript.mjs';

const count = 49;
const timeoutSeconds = 10;

/** An APIService whose Service does not exist. */
const broken = {
  apiVersion: 'apiregistration.k8s.io/v1',
  kind: 'APIService',
  metadata: { name: 'v1.example.com' },
  spec: {
    group: 'example.com',
    version: 'v1',
    groupPriorityMinimum: 1000,
    versionPriority: 15,
    insecureSkipTLSVerify: true,
    service: { namespace: 'default', name: 'none' },
  },
};

/** @param {string} cli path of bin/apisvc.js @param {string} folder an empty folder */
export async function benchContexts(cli, folder) {
  const holder = spawn(process.execPath, [fileURLToPath(import.meta.url), folder], { stdio: ['pipe', 'pipe', 'inherit'] });
  try {
    await once(createInterface({ input: holder.stdout }), 'line');
    const whole = await verify(cli, folder, 'c*');
    console.log(`${count} contexts: ${text(whole)}`);
    const hanging = await verify(cli, folder, '*');
    console.log(`${count} contexts and one that never answers, --timeout ${timeoutSeconds}s: ${text(hanging)}`);
    console.log(`all but the one that hangs are reported after ${seconds(hanging.othersMs)} (aim: at most 1.5 times ${seconds(whole.ms)})`);
  } finally {
    holder.stdin.end();
  }
}

/** @param {number} ms */
const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`;

/** @param {Awaited<ReturnType<typeof verify>>} result */
const text = ({ code, ms, firstMs, peakMB, clusters, errors }) =>
  `${seconds(ms)}, the first after ${seconds(firstMs)}, ${peakMB} MB, exit code ${code}, ${clusters} verified, ${errors} failed`;

/** @param {string} cli @param {string} folder @param {string} pattern */
async function verify(cli, folder, pattern) {
  const start = performance.now();
  const args = [
    'verify',
    '--all',
    '--context',
    pattern,
    '--kubeconfig',
    join(folder, 'config'),
    '-o',
    'json',
    '--timeout',
    `${timeoutSeconds}s`,
  ];
  const child = spawn(process.execPath, [cli, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let peakMB = 0;
  const watch = setInterval(() => {
    const [, kB = '0'] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8')) ?? [];
    peakMB = Math.max(peakMB, Math.round(Number(kB) / 1024));
  }, 50);
  let output = '';
  /** When each context was written. */
  const times = /** @type {number[]} */ ([]);
  child.stdout.on('data', (chunk) => {
    output += chunk;
    const written = output.match(/^ {6}"context": "/gm)?.length ?? 0;
    while (times.length < written) times.push(performance.now() - start);
  });
  child.once('exit', () => clearInterval(watch));
  const [code] = await once(child, 'close');
  const ms = performance.now() - start;
  const { clusters } = JSON.parse(output);
  const verified = clusters.filter((/** @type {any} */ { diagnosis }) => diagnosis).length;
  return {
    code,
    ms,
    firstMs: times[0] ?? 0,
    othersMs: times[count - 1] ?? 0,
    peakMB,
    clusters: verified,
    errors: clusters.length - verified,
  };
}

/** Runs the control planes until stdin ends. @param {string} folder */
async function hold(folder) {
  const { startSimulation } = await loadTypescript('src/sandbox/simulated/simulation.ts');
  const engines = [];
  for (let index = 0; index < count; index++) {
    const options = { stateDir: join(folder, `c${index}`), kubelet: () => {}, kubernetes: '1.37', now: new Date() };
    engines.push(await startSimulation(options));
  }
  const silent = createServer(() => {}).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (silent.address());
  const files = engines.map(({ kubeconfig }) => parse(readFileSync(kubeconfig, 'utf8')));
  await Promise.all(files.map(register));
  const contexts = files.map(({ clusters: [{ cluster }], users: [{ user }] }, index) => ({ name: `c${index}`, cluster, user }));
  const all = [...contexts, { name: 'hangs', cluster: { server: `http://127.0.0.1:${port}` }, user: {} }];
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: all.map(({ name, cluster }) => ({ name, cluster })),
    users: all.map(({ name, user }) => ({ name, user })),
    contexts: all.map(({ name }) => ({ name, context: { cluster: name, user: name } })),
  };
  writeFileSync(join(folder, 'config'), JSON.stringify(config));
  console.log('ready');
  process.stdin.resume().once('end', () => process.exit());
}

/** @param {any} kubeconfig */
async function register({ clusters: [{ cluster }], users: [{ user }] }) {
  const pem = (/** @type {string} */ value) => Buffer.from(value, 'base64');
  const sent = request(`${cluster.server}/apis/apiregistration.k8s.io/v1/apiservices`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    ca: pem(cluster['certificate-authority-data']),
    cert: pem(user['client-certificate-data']),
    key: pem(user['client-key-data']),
  });
  sent.end(JSON.stringify(broken));
  const [response] = await once(sent, 'response');
  response.resume();
  if (response.statusCode !== 201) throw new Error(`POST: HTTP status ${response.statusCode}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await hold(process.argv[2] ?? '');
