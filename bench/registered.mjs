import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parse, stringify } from 'yaml';
import { must } from './measure.mjs';

const port = 8443;

/** @typedef {{ name: string, path: string }} Api */
/**
 * `addEndpoints` adds addresses of the server to its Service.
 * @typedef {Api & { kubectl: string, env: NodeJS.ProcessEnv, addEndpoints: (count: number) => void,
 * stop: () => void }} Registered
 */

/**
 * Starts a real control plane and the real sample API server, and registers the server with apisvc.
 * @param {string} cli path of bin/apisvc.js
 * @param {string} folder an empty folder
 * @returns {Promise<Registered>}
 */
export async function registerSample(cli, folder) {
  const holder = spawn(process.execPath, [join(import.meta.dirname, '..', 'test', 'cluster', 'harness', 'hold-run.mjs')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [line] = await once(createInterface({ input: holder.stdout }), 'line');
  const { kubeconfig, server, files, network, programs, etcdUrl } = JSON.parse(line);
  const env = { ...process.env, KUBECONFIG: kubeconfig };
  const project = join(folder, 'registered');
  must(process.execPath, [cli, 'init', project, '--preset', 'sample-apiserver', '--yes']);
  moveOutside(join(project, 'apisvc.yaml'), [network.address]);

  const registered = spawn(process.execPath, [cli, 'register', '-C', project, '--quiet'], { env, stdio: ['ignore', 'ignore', 'inherit'] });
  const token = await serviceAccountToken(programs.kubectl, env);
  const ownConfig = join(folder, 'server.kubeconfig');
  writeFileSync(ownConfig, kubeconfigText(server, files.ca.cert, token), { mode: 0o600 });
  const flags = {
    'etcd-servers': etcdUrl,
    'bind-address': '0.0.0.0',
    'secure-port': port,
    'tls-cert-file': join(project, 'certs', 'tls.crt'),
    'tls-private-key-file': join(project, 'certs', 'tls.key'),
    kubeconfig: ownConfig,
    'authentication-kubeconfig': ownConfig,
    'authorization-kubeconfig': ownConfig,
  };
  const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
  spawn('nsenter', [`--net=/run/netns/${network.name}`, programs['sample-apiserver'], ...args], { stdio: 'ignore' });
  const [status] = await once(registered, 'exit');
  if (status !== 0) throw new Error(`apisvc register: exit code ${status}`);
  return {
    kubectl: programs.kubectl,
    env,
    name: 'v1alpha1.wardle.example.com',
    path: '/apis/wardle.example.com/v1alpha1',
    addEndpoints: (count) => {
      // The network of the control plane is 10.88.N.0/24; its host and its server have 1 and 2.
      const more = Array.from({ length: count }, (_, index) => network.address.replace(/\d+$/, String(10 + index)));
      for (const address of more) must('ip', ['-n', network.name, 'addr', 'add', `${address}/24`, 'dev', 'eth0']);
      moveOutside(join(project, 'apisvc.yaml'), [network.address, ...more]);
      must(process.execPath, [cli, 'register', '-C', project, '--quiet'], { env });
    },
    stop: () => holder.stdin.end(),
  };
}

/**
 * Changes the server of a project to an external one.
 * @param {string} file
 * @param {string[]} addresses
 */
function moveOutside(file, addresses) {
  const registration = parse(readFileSync(file, 'utf8'));
  const { rbac } = registration.spec.server;
  registration.spec.server = { external: { addresses, port }, rbac };
  writeFileSync(file, stringify(registration));
}

/**
 * Retries, because `register` creates the ServiceAccount while this runs.
 * @param {string} kubectl
 * @param {NodeJS.ProcessEnv} env
 */
async function serviceAccountToken(kubectl, env) {
  for (let attempt = 0; ; attempt++) {
    try {
      return must(kubectl, ['create', 'token', '-n', 'wardle', 'sample-apiserver'], { env }).trim();
    } catch (error) {
      if (attempt === 50) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

/** @param {string} server @param {string} ca @param {string} token */
const kubeconfigText = (server, ca, token) =>
  stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'bench', cluster: { server, 'certificate-authority': ca } }],
    users: [{ name: 'bench', user: { token } }],
    contexts: [{ name: 'bench', context: { cluster: 'bench', user: 'bench' } }],
    'current-context': 'bench',
  });
