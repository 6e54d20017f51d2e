import { readFileSync } from 'node:fs';
import { Agent, get } from 'node:https';
import { text } from 'node:stream/consumers';
import { parse } from 'yaml';
import { cluster } from './provided.ts';

/** Options of node:https for requests of the administrator in a kubeconfig. */
export function connectionOf(kubeconfig: string) {
  const { clusters, users } = parse(readFileSync(kubeconfig, 'utf8'));
  const decoded = (encoded: string): Buffer => Buffer.from(encoded, 'base64');
  const { hostname, port } = new URL(clusters[0].cluster.server);
  const agent = new Agent({
    keepAlive: true,
    // kube-apiserver closes a connection that is idle for longer than 90 seconds.
    timeout: 60_000,
    ca: decoded(clusters[0].cluster['certificate-authority-data']),
    cert: decoded(users[0].user['client-certificate-data']),
    key: decoded(users[0].user['client-key-data']),
  });
  return { hostname, port, agent };
}

let connection: ReturnType<typeof connectionOf> | undefined;

/**
 * Gets JSON from kube-apiserver, for what a spec asks again and again: it costs a fraction of a run
 * of kubectl.
 */
export function getJson(path: string): Promise<ReturnType<typeof JSON.parse>> {
  connection ??= connectionOf(cluster.kubeconfig);
  const options = { ...connection, path };
  return new Promise((resolve, reject) => {
    get(options, (response) => {
      text(response)
        .then((body) => {
          if (response.statusCode !== 200) throw new Error(`GET ${path}: ${response.statusCode} ${body}`);
          resolve(JSON.parse(body));
        })
        .catch(reject);
    }).on('error', reject);
  });
}
