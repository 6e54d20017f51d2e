import * as z from 'zod';
import { inspect } from '../pki/inspect.ts';
import type { CertificateInfo } from '../pki/types.ts';
import { apiServiceName, objectName, observed, optional, texts, time } from './schema-parts.ts';
import { apiServiceView, endpointView, podView, serverView, serviceView } from './schema-views.ts';
import type { Same, Stored } from './stored.ts';
import type { Snapshot } from './types.ts';

/** The shape of a snapshot as JSON: what `--from` accepts, and the JSON Schema that is shipped. The types are in types.ts; the last lines prove that both say the same. */

/** What a certificate says is read from its bytes again, so that no file can claim anything else. */
const certificate = z
  .object({
    subject: z.string(),
    commonName: optional(z.string()),
    issuer: z.string(),
    serial: z.string(),
    notBefore: time,
    notAfter: time,
    dnsNames: texts,
    ipAddresses: texts,
    isCA: optional(z.boolean()),
    pathLength: optional(z.number()),
    keyUsage: optional(texts),
    extendedKeyUsage: optional(texts),
    subjectKeyId: optional(z.string()),
    authorityKeyId: optional(z.string()),
    nameConstraints: optional(z.object({ permittedDns: texts, excludedDns: texts, permittedIp: texts, excludedIp: texts })),
    publicKey: z.string(),
    signatureAlgorithm: z.string(),
    fingerprint: z.string(),
    selfSigned: z.boolean(),
    pem: z.string(),
  })
  .transform(({ pem }, context): CertificateInfo => {
    const [info] = inspect(pem).certificates;
    if (info) return info;
    context.addIssue({ code: 'custom', message: 'its pem holds no certificate' });
    return z.NEVER;
  })
  .meta({ id: 'Certificate' });

const handshake = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('served'), certificates: z.array(certificate), protocol: z.string() }),
  z.object({
    kind: z.literal('failed'),
    fault: z.enum(['refused', 'localhost-refused', 'timeout', 'no-route', 'not-tls', 'reset', 'no-forward', 'other']),
    words: z.string(),
  }),
]);

const endpointProbe = z.object({
  at: z.string(),
  pod: optional(z.string()),
  via: z.enum(['pod', 'address']),
  noForward: optional(z.string()),
  handshake,
});

const secretView = z.object({
  name: objectName,
  pods: z.array(objectName),
  type: z.string(),
  entries: optional(z.object({ certificate: z.string(), key: optional(z.string()) })),
  certificates: z.array(certificate),
  keyMatches: optional(z.boolean()),
  otherKeys: texts,
});

const requestHeaderView = z.object({
  clientCa: z.array(certificate),
  allowedNames: texts,
  usernameHeaders: texts,
  hasClientCa: z.boolean(),
  holdsPrivateKey: z.boolean(),
});

const delegationView = z.object({ account: z.string(), mayReview: z.boolean(), mayReadAuthentication: z.boolean() });

const neighbourView = z.object({
  name: z.string(),
  group: z.string(),
  groupPriorityMinimum: z.number(),
  versionPriority: z.number(),
  service: optional(z.string()),
});

const customResourceView = z.object({ name: z.string(), versions: texts });
const listedView = z.object({ freshness: z.string(), resources: texts });

const httpView = z.object({ path: z.string(), status: z.int(), body: z.string() });
const observedHttp = observed(httpView).meta({ id: 'Answer' });
const asUserView = httpView.extend({ user: z.string(), allowed: optional(z.boolean()) });

const apiSnapshot = z.object({
  name: apiServiceName,
  apiService: observed(apiServiceView),
  service: observed(serviceView),
  endpoints: observed(z.array(endpointView)),
  pods: observed(z.array(podView)),
  probes: observed(z.array(endpointProbe)),
  aggregated: observedHttp,
  group: observedHttp,
  openApi: observedHttp,
  serviceProxy: observedHttp,
  asUser: observed(asUserView),
  anonymous: observedHttp,
  forged: observedHttp,
  server: observed(serverView),
  secret: observed(secretView),
  requestHeader: observed(requestHeaderView),
  delegation: observed(delegationView),
  neighbours: observed(z.array(neighbourView)),
  customResources: observed(z.array(customResourceView)),
  listed: observed(listedView),
});

export const sourceSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('cluster'), server: z.string(), context: z.string(), version: optional(z.string()) }),
  z.object({ kind: z.literal('files'), files: texts }),
]);

export const snapshotSchema = z.object({
  apiVersion: z.literal('apisvc.dev/snapshot/v1alpha1'),
  takenAt: time.describe('Certificates are judged at this time.'),
  source: sourceSchema,
  apis: z.array(apiSnapshot),
});

true satisfies Same<Stored<z.input<typeof snapshotSchema>>, Stored<Snapshot>>;
