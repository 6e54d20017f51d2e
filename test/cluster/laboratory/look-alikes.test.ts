import { generateKeyPair } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { promisify } from 'node:util';
import { subjectAltName } from '../../../src/pki/extensions.ts';
import { make } from '../../unit/pki/certificates.ts';
import { expired, makeCa, makeLeaf, pair, pem, validForDays } from '../harness/certificates.ts';
import { frontProxyCa } from '../harness/projects.ts';
import { failedWith, groupOf, passed } from '../harness/registrations.ts';
import { type Bench, caBundle, describeFaults, type HandMadeFault, validReply } from './hand-made.ts';
import { hasClientCertificate, serveBySni, serveHesitantly, serveToClientsOf, serveUnnamed } from './odd-servers.ts';

/** Servers that look broken and are not, and the faults that they resemble. */

const servingPair = async (name: string, { hostOf, ca }: Bench) => pair(await makeLeaf(hostOf(name), ca));

/** Answers as a valid server, and 401 to clients without a certificate. */
const answering =
  (name: string): RequestListener =>
  ({ socket }, response) => {
    response.statusCode = hasClientCertificate(socket) ? 200 : 401;
    response.end(JSON.stringify(validReply(name).body));
  };

const oldCa = await makeCa('old CA', expired);

const serverNames: readonly HandMadeFault[] = [
  {
    name: 'by-server-name',
    how: 'the server refuses TLS handshakes without a server name',
    codes: { '1.37': [], '1.35': ['endpoints/server-name-required'] },
    condition: { '1.37': passed, '1.35': failedWith('remote error: tls: ') },
    make: async (name, bench) => ({ port: await bench.keep(serveBySni(await servingPair(name, bench), answering(name))) }),
  },
  {
    name: 'without-server-name',
    how: 'the server refuses TLS handshakes with a server name',
    codes: ['endpoints/server-name-refused'],
    condition: { '1.37': failedWith('(EOF|connection reset by peer)'), '1.35': passed },
    make: async (name, bench) => ({ port: await bench.keep(serveUnnamed(await servingPair(name, bench), answering(name))) }),
  },
];

const healthy: readonly HandMadeFault[] = [
  {
    name: 'front-proxy-only',
    how: 'nothing: the server accepts only TLS clients with a certificate from the front-proxy CA',
    codes: [],
    condition: passed,
    make: async (name, bench) => ({
      port: await bench.keep(serveToClientsOf(await servingPair(name, bench), await frontProxyCa(), answering(name))),
    }),
  },
  {
    name: 'slow-handshake',
    how: 'nothing: every TLS handshake takes 1.5 seconds',
    codes: [],
    condition: passed,
    make: async (name, bench) => ({ port: await bench.keep(serveHesitantly(await servingPair(name, bench), 1_500, answering(name))) }),
  },
  {
    name: 'ed25519',
    how: 'nothing: the serving certificate has an Ed25519 key',
    codes: [],
    condition: passed,
    make: async (name, bench) => ({
      port: await bench.serve(
        name,
        pair(await makeLeaf(bench.hostOf(name), bench.ca, { keyPair: await promisify(generateKeyPair)('ed25519') })),
      ),
    }),
  },
  {
    name: 'leaf-in-bundle',
    how: 'nothing: the caBundle is the self-signed serving certificate',
    codes: [],
    condition: passed,
    make: async (name, bench) => {
      const extensions = [subjectAltName({ dns: [bench.hostOf(name)], ip: [] }, false)];
      const leaf = await make({ commonName: 'server', extensions, ...validForDays(90) });
      return { port: await bench.serve(name, pair(leaf)), ...caBundle(pem(leaf)) };
    },
  },
  {
    name: 'expired-extra-ca',
    how: 'nothing: the caBundle also contains an unrelated CA that has expired',
    codes: [],
    condition: passed,
    make: async (name, bench) => ({ port: await bench.serve(name), ...caBundle(pem(bench.ca, oldCa)) }),
  },
  {
    name: 'one-path',
    how: 'nothing: the server serves only the path of its group and version and its OpenAPI schema, and responds with 404 to all others',
    codes: [],
    condition: passed,
    make: async (name, bench) => {
      const listener: RequestListener = (request, response) => {
        const { url = '' } = request;
        if (url !== `/apis/${groupOf(name)}/v1` && !url.startsWith('/openapi/v3')) response.writeHead(404).end();
        else answering(name)(request, response);
      };
      return { port: await bench.keep(serveHesitantly(await servingPair(name, bench), 0, listener)) };
    },
  },
];

describeFaults('look-alikes', [...serverNames, ...healthy]);
