import { stringify } from 'yaml';
import { diagnose } from '../src/diagnosis/diagnose.ts';
import { parseGoError } from '../src/diagnosis/go-errors.ts';
import { createAuthority } from '../src/pki/authority.ts';
import { inspect } from '../src/pki/inspect.ts';
import { issueServing } from '../src/pki/leaf.ts';
import { checkServing } from '../src/pki/trust.ts';
import type { CertificateInfo } from '../src/pki/types.ts';
import { offlineSnapshot } from '../src/snapshot/offline/snapshot.ts';
import type { Observed, Snapshot } from '../src/snapshot/types.ts';

/** Work on large inputs from a cluster. It must take linear time at most. */

/**
 * @param snapshot - a recorded snapshot; the inputs are copies of it with larger bodies and more
 * endpoints
 */
export async function largeInputs(snapshot: Snapshot): Promise<readonly { name: string; prepare: (size: number) => () => void }[]> {
  const chain = await sameNameChain(300);
  return [
    ...['\n', '-----BEGIN CERTIFICATE-----\n', '-----BEGIN ', '-----END CERTIFICATE-----\n', ' \t', 'a: b\n', 'AAAA', '0\x80'].map(
      (piece) => ({
        name: `inspect ${JSON.stringify(piece)}`,
        prepare: (size: number) => inspectJunk(piece.repeat((size * 500_000) / piece.length)),
      }),
    ),
    ...[
      ['', 'x509: certificate is valid for '],
      ['', 'lookup x '],
      ['', 'subject with cn='],
      ['subjectaccessreviews.', 'a.'],
    ].map(([start = '', piece = '']) => ({
      name: `read an error of Go: ${JSON.stringify(start + piece)}`,
      prepare: (size: number) => {
        const text = start + piece.repeat((size * 500_000) / piece.length);
        return () => void parseGoError(text);
      },
    })),
    {
      name: 'diagnose a large body',
      prepare: (size: number) => {
        const large = withBody(snapshot, 'x509: certificate is valid for \u001b[31m'.repeat(size * 15_000));
        return () => void diagnose(large);
      },
    },
    {
      name: 'diagnose many endpoints',
      prepare: (size: number) => {
        const large = withProbes(snapshot, size * 250);
        return () => void diagnose(large);
      },
    },
    {
      name: 'lint many APIServices',
      prepare: (size: number) => {
        const text = manifestsOf(size * 300);
        return () => void diagnose(offlineSnapshot([{ file: 'a.yaml', text }], chain.now).snapshot);
      },
    },
    {
      name: 'verify against CAs of one name',
      prepare: (size: number) => {
        const roots = chain.cas.slice(0, size * 150);
        const hostname = 'api.wardle.svc';
        return () => void checkServing({ presented: [chain.leaf, ...roots], roots, hostname, now: chain.now });
      },
    },
  ];
}

/** The manifests of many APIServices, each with its Service, as one text. */
export const manifestsOf = (count: number): string =>
  Array.from({ length: count }, (_, at) => [
    {
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name: `v1.g${at}.example.com` },
      spec: {
        group: `g${at}.example.com`,
        version: 'v1',
        groupPriorityMinimum: 1000,
        versionPriority: 15,
        insecureSkipTLSVerify: true,
        service: { name: `api-${at}`, namespace: 'default' },
      },
    },
    { apiVersion: 'v1', kind: 'Service', metadata: { name: `api-${at}`, namespace: 'default' }, spec: { ports: [{ port: 443 }] } },
  ])
    .flat()
    .map((object) => stringify(object))
    .join('---\n');

function inspectJunk(junk: string): () => void {
  const block = (text: string): string => `-----BEGIN CERTIFICATE-----\n${text}\n-----END CERTIFICATE-----\n`;
  return () => {
    inspect(junk);
    inspect(block(junk));
    inspect(block(Buffer.from(junk).toString('base64')));
    inspect(Buffer.from(junk, 'latin1'));
  };
}

/** CAs that share a name, and a leaf of another CA with the same name. */
async function sameNameChain(count: number): Promise<{ leaf: CertificateInfo; cas: readonly CertificateInfo[]; now: Date }> {
  const now = new Date();
  const ca = () => createAuthority({ commonName: 'root', keyType: 'ecdsa-p256', lifetimeMs: 86_400_000, now });
  const names = { dns: ['api.wardle.svc'], ip: [] };
  const leaf = await issueServing({ authority: ca(), names, keyType: 'ecdsa-p256', lifetimeMs: 3_600_000, now });
  const cas = await Promise.all(Array.from({ length: count }, ca));
  const first = (pem: string): CertificateInfo => inspect(pem).certificates[0] as CertificateInfo;
  return { leaf: first(leaf.certificates), cas: cas.map(({ certificates }) => first(certificates)), now };
}

const mapObserved = <T>(observed: Observed<T>, change: (value: T) => T): Observed<T> =>
  observed.state === 'seen' ? { ...observed, value: change(observed.value) } : observed;

const withBody = (snapshot: Snapshot, body: string): Snapshot => ({
  ...snapshot,
  apis: snapshot.apis.map((api) => ({
    ...api,
    aggregated: mapObserved(api.aggregated, (answer) => ({ ...answer, body })),
    group: mapObserved(api.group, (answer) => ({ ...answer, body })),
  })),
});

const withProbes = (snapshot: Snapshot, count: number): Snapshot => ({
  ...snapshot,
  apis: snapshot.apis.map((api) => ({
    ...api,
    probes: mapObserved(api.probes, ([probe]) =>
      probe ? Array.from({ length: count }, (_, index) => ({ ...probe, at: `10.1.0.${index}:8443 (pod api-${index})` })) : [],
    ),
  })),
});
