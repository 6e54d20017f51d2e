import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { Worker } from 'node:worker_threads';
import { must } from './measure.mjs';

const count = 1000;
export const namespace = 'bench';
/** The number of APIServices to time with `kubectl get --raw`; all of them would take an hour. */
const sample = 50;

/**
 * The fault of an APIService.
 * @typedef {'nothing' | 'other-ca' | 'no-service' | 'no-endpoints'} ObjectFault
 * @typedef {'not-ready' | 'refused' | 'no-host' | 'silent'} EndpointFault
 * @typedef {ObjectFault | EndpointFault} Fault
 */
const faults = /** @type {Fault[]} */ ([
  'nothing',
  'nothing',
  'nothing',
  'other-ca',
  'no-service',
  'no-endpoints',
  'not-ready',
  'refused',
  'no-host',
  'silent',
]);

/**
 * Creates 1,000 APIServices on a real control plane, first without their Services, and then with
 * them, most of them broken. Compares the time of `apisvc verify --all` with kubectl.
 * @param {string} cli path of bin/apisvc.js
 * @param {string} folder an empty folder
 */
export async function benchWholeCluster(cli, folder) {
  const holder = spawn(process.execPath, [join(import.meta.dirname, '..', 'test', 'cluster', 'harness', 'hold-run.mjs')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [line] = await once(createInterface({ input: holder.stdout }), 'line');
  const { kubeconfig, network, programs } = JSON.parse(line);
  const env = { ...process.env, KUBECONFIG: kubeconfig };
  const host = network.address.replace(/\.2$/, '.1');
  makeCertificates(folder);
  const servers = new Worker(new URL('./servers.mjs', import.meta.url), { workerData: { host, folder } });
  try {
    const [ports] = await once(servers, 'message');
    const items = objects(folder, { host, ...ports });
    const isRegistration = (/** @type {{ kind?: string }} */ { kind }) => kind === 'APIService';
    must(programs.kubectl, ['create', 'namespace', namespace], { env });
    create(programs.kubectl, env, folder, items.filter(isRegistration));
    await report(cli, env, 'without a backend', 3);
    create(
      programs.kubectl,
      env,
      folder,
      items.filter((item) => !isRegistration(item)),
    );
    await untilAvailable(programs.kubectl, env);
    await report(cli, env, 'mixed', 5);
    await timeKubectl(programs.kubectl, env);
  } finally {
    await servers.terminate();
    holder.stdin.end();
  }
}

/**
 * Creates a certificate that is valid for every Service, and a CA that did not issue it.
 * @param {string} folder
 */
export function makeCertificates(folder) {
  const run = (/** @type {string} */ line) => must('openssl', line.split(' '), { cwd: folder });
  const ec = '-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes';
  for (const ca of ['ca', 'other']) run(`req -x509 ${ec} -keyout ${ca}.key -out ${ca}.crt -days 3650 -subj /CN=${ca}`);
  writeFileSync(join(folder, 'ext'), `extendedKeyUsage=serverAuth\nsubjectAltName=DNS:*.${namespace}.svc\n`);
  run(`req ${ec} -keyout tls.key -out tls.csr -subj /CN=bench`);
  run('x509 -req -in tls.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 365 -extfile ext -out tls.crt');
}

/** @typedef {{ host: string, working: number, silent: number, refused: number }} Ports */

/**
 * @param {string} folder
 * @param {Ports} ports
 */
function objects(folder, ports) {
  const bundle = (/** @type {string} */ ca) => readFileSync(join(folder, `${ca}.crt`)).toString('base64');
  const bundles = { right: bundle('ca'), wrong: bundle('other') };
  return Array.from({ length: count }, (_, index) => objectsOf(index, bundles, ports)).flat();
}

/**
 * @param {string} kubectl
 * @param {NodeJS.ProcessEnv} env
 * @param {string} folder
 * @param {object[]} items
 */
export function create(kubectl, env, folder, items) {
  const file = join(folder, 'objects.json');
  writeFileSync(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
  must(kubectl, ['create', '-f', file], { env, maxBuffer: 1e8 });
}

/**
 * Waits until every API without a fault is available.
 * @param {string} kubectl
 * @param {NodeJS.ProcessEnv} env
 */
async function untilAvailable(kubectl, env) {
  const expected = faults.filter((fault) => fault === 'nothing').length * (count / faults.length);
  for (let available = 0; available < expected; await new Promise((resolve) => setTimeout(resolve, 2000))) {
    const printed = must(kubectl, ['get', 'apiservices', '--no-headers'], { env, maxBuffer: 1e8 });
    available = printed.split('\n').filter((line) => / bench\/s\d+ +True/.test(line)).length;
  }
}

/**
 * @param {number} index
 * @param {{ right: string, wrong: string }} bundles
 * @param {Ports} ports
 * @returns {{ kind: string }[]}
 */
export function objectsOf(index, bundles, { host, ...ports }) {
  const fault = /** @type {Fault} */ (faults[index % faults.length]);
  const name = `s${index}`;
  const group = `${name}.example.com`;
  const port = fault === 'silent' ? ports.silent : fault === 'refused' ? ports.refused : ports.working;
  const service = { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace }, spec: { ports: [{ port: 443, targetPort: port }] } };
  const slice = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name, namespace, labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    // No host has the address before the broadcast address of the test network.
    endpoints: [{ addresses: [fault === 'no-host' ? host.replace(/\.1$/, '.254') : host], conditions: { ready: fault !== 'not-ready' } }],
    ports: [{ name: '', port, protocol: 'TCP' }],
  };
  const caBundle = fault === 'other-ca' ? bundles.wrong : bundles.right;
  const apiService = {
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name: `v1.${group}` },
    spec: { group, version: 'v1', groupPriorityMinimum: 1000, versionPriority: 15, service: { name, namespace, port: 443 }, caBundle },
  };
  return [apiService, ...(fault === 'no-service' ? [] : [service]), ...(fault === 'no-service' || fault === 'no-endpoints' ? [] : [slice])];
}

/**
 * @param {string} cli
 * @param {NodeJS.ProcessEnv} env
 * @param {string} what
 * @param {number} aim in seconds
 */
async function report(cli, env, what, aim) {
  const { ms, peakMB, verdicts } = await verifyAll(cli, env);
  const took = `${(ms / 1000).toFixed(1)} s, ${peakMB} MB`;
  console.log(`apisvc verify --all, ${what}: ${took} for ${count} APIServices (${verdicts}); aim: at most ${aim} s, under 200 MB`);
}

/** @param {string} kubectl @param {NodeJS.ProcessEnv} env */
async function timeKubectl(kubectl, env) {
  const start = performance.now();
  for (let index = 0; index < sample; index++) {
    // The command fails for a broken API. That is expected.
    const loop = spawn(kubectl, ['get', '--raw', `/apis/s${index}.example.com/v1`], { env, stdio: 'ignore' });
    await once(loop, 'exit');
  }
  const seconds = ((performance.now() - start) * count) / sample / 1000;
  console.log(`kubectl get --raw, one after the other: ${seconds.toFixed(0)} s (${sample} of them, scaled up)`);
}

/** @param {string} cli @param {NodeJS.ProcessEnv} env */
async function verifyAll(cli, env) {
  const start = performance.now();
  const child = spawn(process.execPath, [cli, 'verify', '--all', '-o', 'json', '--timeout', '120s'], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let peakMB = 0;
  const watch = setInterval(() => {
    const [, kB = '0'] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8')) ?? [];
    peakMB = Math.max(peakMB, Math.round(Number(kB) / 1024));
  }, 50);
  const chunks = /** @type {Buffer[]} */ ([]);
  child.stdout.on('data', (chunk) => chunks.push(chunk));
  child.once('exit', () => clearInterval(watch));
  await once(child, 'close');
  const ms = performance.now() - start;
  const { apis } = JSON.parse(Buffer.concat(chunks).toString());
  const counted = (/** @type {string} */ verdict) => apis.filter((/** @type {any} */ api) => api.verdict === verdict).length;
  return { ms, peakMB, verdicts: ['healthy', 'broken', 'unknown'].map((verdict) => `${counted(verdict)} ${verdict}`).join(', ') };
}
