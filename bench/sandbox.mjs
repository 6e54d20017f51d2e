// Compares the two engines of apisvc sandbox: start time, memory, and requests to an extension API
// server through the aggregation layer.
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { Agent, get } from 'node:https';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parse } from 'yaml';
import { cells, findComponents } from '../scripts/components.mjs';

const path = '/apis/demo.apisvc.dev/v1alpha1/hosts';
const concurrency = 16;
const seconds = 5;

/** @typedef {{ server: string, agent: Agent }} Client */

/**
 * Starts a sandbox with its built-in server and prints its figures.
 * @param {string} cli
 * @param {string} folder
 * @param {'real' | 'simulated'} engine
 */
async function benchEngine(cli, folder, engine) {
  const kubeconfig = join(folder, `${engine}.kubeconfig`);
  const start = performance.now();
  const assets = engine === 'real' ? ['--assets', dirname(findComponents().programs[`kubernetes-${cells[0]}`]?.etcd ?? '')] : [];
  const sandbox = spawn(process.execPath, [cli, 'sandbox', '--engine', engine, ...assets, '--write-kubeconfig', kubeconfig], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  try {
    let output = '';
    sandbox.stderr.on('data', (chunk) => {
      output += chunk;
    });
    const waitUntil = async (/** @type {() => boolean} */ condition) => {
      while (!condition()) {
        if (sandbox.exitCode !== null) throw new Error(`the sandbox ended: ${output}`);
        await pause(5);
      }
      return performance.now() - start;
    };
    const ready = await waitUntil(() => existsSync(kubeconfig) && readFileSync(kubeconfig).length > 0);
    const registered = await waitUntil(() => output.includes('runs until you press Ctrl-C'));
    const client = clientOf(kubeconfig);
    await load(client, 1);
    const perSecond = await load(client, seconds);
    const megabytes = memory(Number(sandbox.pid));
    console.log(
      `${engine}: ready in ${(ready / 1000).toFixed(2)} s, server registered and verified after ${(registered / 1000).toFixed(1)} s, ${megabytes} MB, ${Math.round(perSecond)} requests/s through the proxy`,
    );
    client.agent.destroy();
    return perSecond;
  } finally {
    sandbox.kill('SIGTERM');
    await new Promise((resolve) => (sandbox.exitCode === null ? sandbox.once('exit', resolve) : resolve(undefined)));
  }
}

/** @param {string} kubeconfig @returns {Client} */
function clientOf(kubeconfig) {
  const { clusters, users } = parse(readFileSync(kubeconfig, 'utf8'));
  const [{ cluster }] = clusters;
  const [{ user }] = users;
  const pem = (/** @type {string} */ text) => Buffer.from(text, 'base64');
  const agent = new Agent({
    keepAlive: true,
    maxSockets: concurrency,
    ca: pem(cluster['certificate-authority-data']),
    cert: pem(user['client-certificate-data']),
    key: pem(user['client-key-data']),
  });
  return { server: cluster.server, agent };
}

/**
 * Sends one request. Rejects unless the status is 200.
 * @param {Client} client
 * @returns {Promise<void>}
 */
const request = ({ server, agent }) =>
  new Promise((resolve, reject) => {
    get(`${server}${path}`, { agent }, (response) => {
      response.resume();
      response.on('end', () => (response.statusCode === 200 ? resolve() : reject(new Error(`HTTP status ${response.statusCode}`))));
    }).on('error', reject);
  });

/**
 * @param {Client} client
 * @param {number} forSeconds
 * @returns {Promise<number>} requests per second, with `concurrency` of them at a time
 */
async function load(client, forSeconds) {
  const start = performance.now();
  const end = start + forSeconds * 1000;
  let count = 0;
  const work = async () => {
    for (; performance.now() < end; count++) await request(client);
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  return (count / (performance.now() - start)) * 1000;
}

/** Resident memory of a process and its descendants, in MB. @param {number} pid */
function memory(pid) {
  const parents = new Map(
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap((name) => {
        const status = statusOf(name);
        return status === undefined ? [] : [[Number(name), status]];
      }),
  );
  let kB = 0;
  for (const [each, { rss }] of parents) {
    let at = each;
    while (at !== pid && at > 1) at = parents.get(at)?.parent ?? 0;
    if (at === pid) kB += rss;
  }
  return Math.round(kB / 1024);
}

/** @param {string} pid */
function statusOf(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/status`, 'utf8');
    return { parent: Number(/^PPid:\s+(\d+)/m.exec(text)?.[1]), rss: Number(/^VmRSS:\s+(\d+)/m.exec(text)?.[1] ?? 0) };
  } catch {
    return undefined;
  }
}

/** @param {string} cli @param {string} folder */
export async function benchSandbox(cli, folder) {
  const simulated = await benchEngine(cli, folder, 'simulated');
  const real = await benchEngine(cli, folder, 'real');
  console.log(`requests/s, simulated / real: ${(simulated / real).toFixed(2)}`);
}
