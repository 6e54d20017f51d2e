// The extension API servers of bench/whole-cluster.mjs, in a worker thread: one that serves every
// group, one that never responds, and a port where nothing listens. Posts their ports.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';

const { host, folder } = workerData;
const read = (/** @type {string} */ name) => readFileSync(join(folder, name));

const working = createServer({ cert: read('tls.crt'), key: read('tls.key') }, ({ url = '', headers }, response) => {
  const [, group, version] = /^\/(?:openapi\/v3\/)?apis\/([^/]+)\/([^/?]+)/.exec(url) ?? [];
  // Refuse requests without a user, and requests that claim to come from system:admin. A real
  // server refuses the latter because they have no client certificate; this one does not request
  // any.
  response.writeHead(headers['x-remote-user'] && headers['x-remote-user'] !== 'system:admin' ? 200 : 403, {
    'content-type': 'application/json',
  });
  const resources = [{ name: 'things', singularName: 'thing', namespaced: true, kind: 'Thing', verbs: ['get', 'list'] }];
  response.end(JSON.stringify({ kind: 'APIResourceList', apiVersion: 'v1', groupVersion: `${group}/${version}`, resources }));
});
const silent = createTcpServer((socket) => socket.on('error', () => {}));
const closed = createTcpServer();

/** @param {import('node:net').Server} server @returns {Promise<number>} */
async function listen(server) {
  await once(server.listen(0, host), 'listening');
  const address = server.address();
  return typeof address === 'object' && address ? address.port : 0;
}

const ports = { working: await listen(working), silent: await listen(silent), refused: await listen(closed) };
closed.close();
parentPort?.postMessage(ports);
