import { createServer, type Socket } from 'node:net';
import { listen, serveHttp, serveSilence } from '../../harness/backends.ts';
import { type Change, validReply } from '../../laboratory/hand-made.ts';
import { serveAlerts } from '../../laboratory/odd-servers.ts';
import type { Step } from '../step.ts';
import { unservedPort, type World } from '../world.ts';
import { registration } from './registering.ts';

/** Working and broken Services and endpoints. */

/** A valid server behind changed objects. */
const leading = (name: string, change: Partial<Change>): Step =>
  registration(name, async ({ serve }) => ({ port: await serve(), ...change }));

/** Another program in place of the server. */
const standing = (name: string, port: (world: World) => Promise<number>): Step =>
  registration(name, async (world) => ({ port: await port(world) }));

/** After a first read: a connection that is closed with unread data is reset. */
const hangUp = (socket: Socket): unknown => socket.once('data', () => socket.end());

export const services: readonly Step[] = [
  leading('no-service', { without: ['service', 'slice'] }),
  leading('no-endpoints', { without: ['slice'] }),
  leading('endpoints-not-ready', { ready: false }),
  leading('other-service-port', { servicePort: { port: 8443 } }),
  leading('named-service-port', { servicePort: { name: 'https' }, slicePort: { name: 'https' } }),
  leading('other-port-name', { servicePort: { name: 'https' }, slicePort: { name: 'web' } }),
  leading('slice-of-udp', { slicePort: { protocol: 'UDP' } }),
  leading('headless', { serviceSpec: { clusterIP: 'None' } }),
  leading('external-name', { serviceSpec: { type: 'ExternalName', externalName: 'api.invalid' }, without: ['slice'] }),
  leading('external-name-with-endpoints', { serviceSpec: { type: 'ExternalName', externalName: 'api.invalid' } }),
  leading('node-port', { serviceSpec: { type: 'NodePort' } }),
  standing('connection-refused', async () => unservedPort),
  standing('black-hole', ({ keep, host }) => keep(serveSilence(host))),
  standing('plain-http', ({ keep, name, host }) => keep(serveHttp(validReply(name), host))),
  standing('hang-up', ({ keep, host }) => keep(listen(createServer(hangUp), 0, host))),
  standing('no-certificate', ({ keep, host }) => keep(serveAlerts(host))),
];
