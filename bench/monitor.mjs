import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { must } from './measure.mjs';
import { create, makeCertificates, namespace, objectsOf } from './whole-cluster.mjs';

const count = 200;
/** The faults of objectsOf repeat after ten; the first three of them are none. */
const working = (/** @type {number} */ index) => Math.floor(index / 3) * 10 + (index % 3);
const flapping = `s${working(0)}`;
const flapMs = 5_000;
const address = '127.0.0.1:18099';
const downMs = 30_000;

/**
 * Runs `apisvc monitor` on 200 APIServices on a real control plane. One of them flaps all the time,
 * and kube-apiserver is restarted in the middle. Prints the memory, the sockets, the runs and the
 * requests of each minute.
 * @param {string} cli path of bin/apisvc.js
 * @param {string} folder an empty folder
 * @param {number} minutes
 */
export async function benchMonitor(cli, folder, minutes) {
  const holder = spawn(process.execPath, [join(import.meta.dirname, '..', 'test', 'cluster', 'harness', 'hold-run.mjs')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [line] = await once(createInterface({ input: holder.stdout }), 'line');
  const { kubeconfig, network, programs, stateDir } = JSON.parse(line);
  const env = { ...process.env, KUBECONFIG: kubeconfig };
  const host = network.address.replace(/\.2$/, '.1');
  makeCertificates(folder);
  const servers = new Worker(new URL('./servers.mjs', import.meta.url), { workerData: { host, folder } });
  const over = new AbortController();
  /** @type {import('node:child_process').ChildProcess | undefined} */
  let monitor;
  try {
    const [ports] = await once(servers, 'message');
    must(programs.kubectl, ['create', 'namespace', namespace], { env });
    const bundle = readFileSync(join(folder, 'ca.crt')).toString('base64');
    const bundles = { right: bundle, wrong: bundle };
    create(
      programs.kubectl,
      env,
      folder,
      Array.from({ length: count }, (_, index) => objectsOf(working(index), bundles, { host, ...ports })).flat(),
    );
    void flap(programs.kubectl, env, over.signal);
    const args = [cli, 'monitor', '--listen', address];
    monitor = spawn(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'ignore'] });
    await untilServing();
    for (let minute = 1; minute <= minutes; minute++) {
      const before = await counters();
      if (minute === Math.ceil(minutes / 2)) await restartApiserver(stateDir, network.name);
      else await sleep(60_000);
      report(minute, monitor.pid ?? 0, before, await counters());
    }
    monitor.kill('SIGTERM');
    const [code] = await once(monitor, 'exit');
    console.log(`SIGTERM: exit code ${code}`);
  } finally {
    over.abort();
    monitor?.kill('SIGKILL');
    await servers.terminate();
    holder.stdin.end();
  }
}

/**
 * Changes whether the endpoint of one API is ready, until the signal aborts.
 * @param {string} kubectl @param {NodeJS.ProcessEnv} env @param {AbortSignal} signal
 */
async function flap(kubectl, env, signal) {
  for (let ready = false; !signal.aborted; ready = !ready) {
    const patch = JSON.stringify([{ op: 'replace', path: '/endpoints/0/conditions/ready', value: ready }]);
    // It fails while kube-apiserver is down.
    spawn(kubectl, ['patch', 'endpointslice', flapping, '-n', namespace, '--type', 'json', '-p', patch], { env, stdio: 'ignore' });
    await sleep(flapMs, undefined, { signal }).catch(() => {});
  }
}

/**
 * Kills kube-apiserver, and starts it again with the same arguments.
 * @param {string} stateDir in its arguments @param {string} network
 */
async function restartApiserver(stateDir, network) {
  const pid = readdirSync('/proc').find((name) => {
    if (!/^\d+$/.test(name)) return false;
    const [program = '', ...args] = argumentsOf(name);
    return program.endsWith('/kube-apiserver') && args.some((arg) => arg.includes(stateDir));
  });
  if (pid === undefined) throw new Error('no kube-apiserver found');
  const args = argumentsOf(pid);
  process.kill(Number(pid), 'SIGKILL');
  await sleep(downMs);
  console.log(`kube-apiserver is down for ${downMs / 1000} s: apisvc_last_run_success ${(await counters()).success}`);
  spawn('nsenter', [`--net=/run/netns/${network}`, ...args], { stdio: 'ignore' });
  await sleep(60_000 - downMs);
}

/** @param {string} pid @returns {string[]} */
function argumentsOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
  } catch {
    return [];
  }
}

async function untilServing() {
  for (;;) {
    const response = await fetch(`http://${address}/readyz`).catch(() => undefined);
    if (response?.ok) return;
    await sleep(500);
  }
}

/** @typedef {{ runs: number, failures: number, requests: number, success: number }} Counters */

/** @returns {Promise<Counters>} */
async function counters() {
  const text = await (await fetch(`http://${address}/metrics`)).text();
  const sampleOf = (/** @type {string} */ name) => Number(new RegExp(`^${name}\\{.*\\} (\\S+)$`, 'm').exec(text)?.[1]);
  return {
    runs: sampleOf('apisvc_runs_total'),
    failures: sampleOf('apisvc_run_failures_total'),
    requests: sampleOf('apisvc_kube_apiserver_requests_total'),
    success: sampleOf('apisvc_last_run_success'),
  };
}

/**
 * @param {number} minute @param {number} pid
 * @param {Counters} before @param {Counters} after
 */
function report(minute, pid, before, after) {
  const [, kB = '0'] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  const requests = after.requests - before.requests;
  const figures = [
    `${Math.round(Number(kB) / 1024)} MB RSS`,
    `${socketsOf(pid)} sockets`,
    `${after.runs - before.runs} runs (${after.failures - before.failures} failed)`,
    `${(requests / 60).toFixed(1)} requests/s`,
  ];
  console.log(`minute ${minute}: ${figures.join(', ')}`);
}

/** @param {number} pid */
const socketsOf = (pid) =>
  readdirSync(`/proc/${pid}/fd`).filter((name) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${name}`).startsWith('socket:');
    } catch {
      return false;
    }
  }).length;
