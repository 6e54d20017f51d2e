import { getObject } from '../../cluster/objects.ts';
import { RefusedError } from '../../errors.ts';
import { secretEntry } from '../../manifests/secret.ts';
import { distinct } from '../../pki/anchors.ts';
import { inspect } from '../../pki/inspect.ts';
import { wouldAccept } from '../../pki/trust.ts';
import type { CertificateInfo } from '../../pki/types.ts';
import { trustedBy } from '../../snapshot/ca-bundle.ts';
import { collectContext } from '../../snapshot/collect/context.ts';
import { viewApiService } from '../../snapshot/views.ts';
import { describeServed, servedByAll } from '../served.ts';
import { whileValid } from './clock.ts';
import { hasSecret, readApiServices, secretRef } from './live.ts';
import { type CertificateSet, hostOf, type Rotation, serviceOf } from './rotation.ts';

/**
 * When the certificates that the cluster uses expire. The files of a copy may be older or newer.
 */

type Where = Pick<Rotation, 'cluster' | 'registration' | 'signal' | 'now' | 'kind'>;

export interface Expiry {
  /** The first certificate to expire of those in the Secret and at the endpoints, with its CAs. */
  readonly first: CertificateSet | undefined;
  /** The SHA-256 of all of them. */
  readonly leaves: readonly string[];
  /** Whether one of them, or with a new CA one of the CAs, expires within the time. */
  readonly isDue: boolean;
  /** The places that could not be read, with the reasons. */
  readonly notChecked: readonly string[];
}

/**
 * Reads the certificates in the Secret, at every pod and endpoint, and for a rotation of the CA the
 * CAs in the caBundles that verify them.
 * @param withinMs in milliseconds
 * @throws ClusterError when the user may not read them
 */
export async function expiryInCluster(where: Where, withinMs: number): Promise<Expiry> {
  const { registration, signal, cluster, now, kind } = where;
  const { namespace, name } = serviceOf(where);
  const apis = (await readApiServices(where)).map(viewApiService);
  const roots = distinct(apis.flatMap(trustedBy));
  const inSecret = await secretChain(where);
  const port = registration.spec.service.port;
  const { probes } = await servedByAll(collectContext(cluster, signal), { namespace, service: name, port, roots, now: now() });
  const served = probes.flatMap(({ handshake }) =>
    handshake.kind === 'served' && handshake.certificates[0] ? [handshake.certificates] : [],
  );
  const chains = [...inSecret.chains, ...served];
  const signs = (root: CertificateInfo): boolean =>
    chains.some((presented) => wouldAccept({ presented, roots: [root], hostname: hostOf(where), now: whileValid({ presented }, now)() }));
  const anchors = roots.filter(signs);
  const leaves = distinct(chains.flatMap(([leaf]) => leaf ?? [])).sort((one, other) => endOf(one) - endOf(other));
  const relevant = kind === 'ca' ? [...chains.flat(), ...anchors] : leaves;
  const [first] = leaves;
  return {
    first: first && { chain: first.pem, presented: [first], leaf: first.fingerprint, anchors, key: undefined },
    leaves: leaves.map(({ fingerprint }) => fingerprint),
    isDue: relevant.some((each) => endOf(each) - now().getTime() < withinMs),
    notChecked: [
      ...(apis.length === 0 ? [`no APIService points at Service ${namespace}/${name}`] : []),
      ...inSecret.notChecked,
      ...probes.filter(({ handshake }) => handshake.kind === 'failed' || handshake.certificates.length === 0).map(describeServed),
      ...(chains.length === 0 && inSecret.notChecked.length === 0 ? [`Service ${namespace}/${name} has no endpoint`] : []),
    ],
  };
}

const endOf = ({ notAfter }: CertificateInfo): number => Date.parse(notAfter);

interface InSecret {
  readonly chains: readonly (readonly CertificateInfo[])[];
  readonly notChecked: readonly string[];
}

/** New pods serve it. */
async function secretChain(where: Where): Promise<InSecret> {
  if (!hasSecret(where)) return { chains: [], notChecked: [] };
  const { namespace, name } = secretRef(where);
  const found = await getObject(where.cluster, secretRef(where), where.signal);
  const presented = found ? inspect(secretEntry(found, 'tls.crt')).certificates : [];
  if (presented.length > 0) return { chains: [presented], notChecked: [] };
  return { chains: [], notChecked: [`Secret ${namespace}/${name} ${found ? 'has no certificate' : 'not found'}`] };
}

/**
 * Refuses to say that nothing is due where a place was not checked.
 * @throws RefusedError with every such place
 */
export function requireChecked({ notChecked }: Expiry): void {
  if (notChecked.length === 0) return;
  const lines = ['cannot tell when the certificates in the cluster expire', ...notChecked.map((each) => `  not checked: ${each}`)];
  throw new RefusedError([...lines, 'nothing was changed'].join('\n'), {
    fix: 'To see the certificates in the files, in the Secret and at every endpoint: apisvc status',
  });
}
