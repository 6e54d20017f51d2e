import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { root } from './setup.mjs';

/** Helpers of the quickstart: they show commands and run them in a folder with a sandbox. */

/**
 * Running processes.
 * @type {Set<import('node:child_process').ChildProcess>}
 */
const children = new Set();

/**
 * Starts apisvc.
 * @param {string} folder the working directory
 * @param {string[]} args
 * @param {import('node:child_process').StdioOptions} stdio
 */
function start(folder, args, stdio) {
  const env = { ...process.env, KUBECONFIG: join(folder, 'kubeconfig') };
  // A separate process group, because this script handles Ctrl-C and stops the processes in order.
  const detached = process.platform !== 'win32';
  const child = spawn(process.execPath, [join(root, 'bin', 'apisvc.js'), ...args], { cwd: folder, env, stdio, detached });
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @returns {Promise<number | null>} its exit code
 */
const ended = (child) => new Promise((resolve) => child.once('exit', resolve));

/** Prints an explanation. @param {string[]} lines */
export const say = (...lines) => console.log(`\n${lines.map((line) => `# ${line}`).join('\n')}`);

/**
 * Prints a command and runs it. Its output is shown unless it is `hidden`.
 * @param {string} folder
 * @param {string[]} args
 * @param {{ expected?: number, hidden?: boolean }} options
 * @throws {Error} for another exit code
 */
export async function apisvc(folder, args, { expected = 0, hidden = false } = {}) {
  console.log(`$ apisvc ${args.join(' ')}${hidden ? ' > /dev/null' : ''}`);
  const code = await ended(start(folder, args, ['ignore', hidden ? 'ignore' : 'inherit', 'inherit']));
  if (code !== expected) throw new Error(`apisvc ${args[0]}: exit code ${code}, not ${expected}`);
}

/**
 * Verifies an APIService without printing anything.
 * @param {string} folder
 * @param {string} apiService
 * @returns {Promise<string[]>} the codes of the findings
 */
export async function findings(folder, apiService) {
  const child = start(folder, ['verify', apiService, '-o', 'json'], ['ignore', 'pipe', 'ignore']);
  let text = '';
  for await (const chunk of /** @type {import('node:stream').Readable} */ (child.stdout)) text += chunk;
  /** @type {{ apis: { findings: { code: string }[] }[] }} */
  const { apis } = JSON.parse(text);
  return apis.flatMap((each) => each.findings.map(({ code }) => code));
}

/**
 * Starts the sandbox in the background and waits until it is ready.
 * @param {string} folder
 * @returns its output, and a function that stops it
 * @throws {Error} when it does not start
 */
export async function startSandbox(folder) {
  const args = ['sandbox', '--empty', '--engine', 'simulated', '--write-kubeconfig', 'kubeconfig'];
  console.log(`$ apisvc ${args.join(' ')} &\n$ export KUBECONFIG=kubeconfig`);
  const child = start(folder, args, ['ignore', 'ignore', 'pipe']);
  let said = '';
  child.stderr?.on('data', (chunk) => {
    said += chunk;
  });
  const exit = ended(child);
  const isReady = () => child.exitCode !== null || existsSync(join(folder, 'kubeconfig'));
  if (!(await until(isReady)) || child.exitCode !== null) throw new Error(`the sandbox did not start:\n${said}`);
  return {
    said: () => said,
    async stop() {
      child.kill();
      await exit;
    },
  };
}

/**
 * Waits up to 30 seconds for a condition.
 * @param {() => boolean | Promise<boolean>} holds
 * @returns {Promise<boolean>} false after the time is over
 */
export async function until(holds) {
  for (const end = performance.now() + 30_000; performance.now() < end; await sleep(50)) if (await holds()) return true;
  return false;
}

/**
 * Sends a request with the server and the client certificate of the kubeconfig.
 * @param {string} folder
 * @param {string} path
 * @param {object} [patch] a merge patch; without it the request is a GET
 * @returns {Promise<string>} the body
 * @throws {Error} when the status is not 200
 */
export async function ask(folder, path, patch) {
  // Not installed before npm ci.
  const { parse } = await import('yaml');
  const { clusters, users } = parse(readFileSync(join(folder, 'kubeconfig'), 'utf8'));
  const decode = (/** @type {string} */ text) => Buffer.from(text, 'base64');
  const [{ cluster }, { user }] = [clusters[0], users[0]];
  const options = {
    method: patch ? 'PATCH' : 'GET',
    headers: patch ? { 'content-type': 'application/merge-patch+json' } : {},
    ca: decode(cluster['certificate-authority-data']),
    cert: decode(user['client-certificate-data']),
    key: decode(user['client-key-data']),
    agent: false,
  };
  return new Promise((resolve, reject) => {
    const outgoing = request(new URL(path, cluster.server), options, async (response) => {
      let body = '';
      for await (const chunk of response.setEncoding('utf8')) body += chunk;
      if (response.statusCode === 200) resolve(body);
      else reject(new Error(`${options.method} ${path}: ${response.statusCode} ${body}`));
    });
    outgoing.on('error', reject).end(patch && JSON.stringify(patch));
  });
}

/** Stops all processes and waits until they have ended. @param {NodeJS.Signals} signal */
export async function endAll(signal) {
  const exits = [...children].map(ended);
  for (const child of children) child.kill(signal);
  await Promise.all(exits);
}
