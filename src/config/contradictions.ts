import type * as z from 'zod';
import { parseArguments } from './arguments.ts';
import { parseDuration } from './duration.ts';
import { responsibilities } from './responsibilities.ts';
import type { certificates } from './schema-certificates.ts';
import type { server } from './schema-server.ts';

/** The port of the pods unless apisvc.yaml sets another. */
export const defaultPort = 8443;

interface Spec {
  readonly service: { readonly name: string };
  readonly server: z.output<typeof server>;
  readonly certificates: z.output<typeof certificates>;
}

type Report = (path: readonly PropertyKey[], message: string) => void;

/** A flag of the server, at its place in apisvc.yaml. */
interface PlacedFlag {
  readonly path: readonly PropertyKey[];
  readonly flag: string;
  readonly value: string | undefined;
}

/**
 * Reports the flags of the server that contradict other keys: another port than the one that the
 * Service and the probes use, and certificate files other than those that apisvc mounts. Reports a
 * CA that would expire before the serving certificate, too.
 */
export function refuseContradictions({ service, server, certificates }: Spec, context: z.RefinementCtx): void {
  const report: Report = (path, message) => context.addIssue({ code: 'custom', path: ['spec', ...path], message });
  checkLifetimes(certificates, report);
  checkIssuer({ server, certificates }, report);
  checkCaSecret({ service, certificates }, report);
  const { existing } = server;
  const changes = ['server', 'existing', 'deployment', 'args'];
  const { add, replace } = existing?.deployment?.args ?? { add: [], replace: [] };
  const flags = [
    ...flagsIn(['server', 'command'], server.command),
    ...flagsIn(['server', 'args'], server.args),
    ...flagsIn([...changes, 'add'], add),
    ...flagsIn([...changes, 'replace'], replace),
  ];
  if (existing) checkPort(flags, existing.port, ['server', 'existing', 'port'], report);
  else checkPort(flags, server.port, ['server', 'port'], report);
  const { secret } = responsibilities[certificates.issuer.type];
  if (certificates.flags !== 'none' && secret !== 'nobody') checkFiles(flags, report);
}

/** In names of flags, `_` is the same as `-` (k8s.io/component-base/cli/flag). */
function flagsIn(path: readonly PropertyKey[], words: readonly string[] = []): PlacedFlag[] {
  let index = 0;
  return parseArguments(words).flatMap(({ words, flag, value }) => {
    const at = index;
    index += words.length;
    return flag === undefined ? [] : [{ path: [...path, at], flag: flag.replaceAll('_', '-'), value }];
  });
}

/** @param port a number, the name of a port in existing pods, or undefined for the default */
function checkPort(flags: readonly PlacedFlag[], port: number | string | undefined, path: readonly PropertyKey[], report: Report): void {
  if (typeof port === 'string') return;
  for (const { value, path: at } of flags.filter(({ flag }) => flag === 'secure-port')) {
    if (value === undefined || Number(value) === (port ?? defaultPort)) continue;
    if (port !== undefined) report(path, `contradicts --secure-port=${value} in ${placeText(at)}; use the same port in both`);
    else report(at, `contradicts the default of spec.server.port, which is ${defaultPort}; set spec.server.port to the same port`);
  }
}

function checkLifetimes({ issuer, lifetime }: Spec['certificates'], report: Report): void {
  const caMs = issuer.type === 'self-signed' ? parseDuration(issuer.caLifetime) : undefined;
  if (issuer.type !== 'self-signed' || caMs === undefined || (parseDuration(lifetime) ?? 0) <= caMs) return;
  report(['certificates', 'lifetime'], `must not be longer than caLifetime, which is ${issuer.caLifetime}: the CA would expire first`);
}

/** Settings that the issuer cannot honour. */
function checkIssuer({ server, certificates }: Pick<Spec, 'server' | 'certificates'>, report: Report): void {
  const { issuer, lifetime, dnsNames, ipAddresses, secretName } = certificates;
  const { inCluster, secret } = responsibilities[issuer.type];
  if (server.external && inCluster) {
    report(
      ['certificates', 'issuer'],
      `${issuer.type} needs pods in the cluster, but spec.server.external describes a server outside it; use self-signed or ca`,
    );
  }
  if (secret === 'nobody' && secretName !== undefined) {
    report(['certificates', 'secretName'], `has no effect with the issuer type ${issuer.type}, which uses no Secret; remove it`);
  }
  if (issuer.type === 'csr' && (issuer.caBundleFile === undefined) === (issuer.clusterTrustBundle === undefined)) {
    report(['certificates', 'issuer'], 'must set exactly one of caBundleFile and clusterTrustBundle');
  }
  if (issuer.type === 'csr' && (parseDuration(lifetime) ?? 0) < minRequestMs) {
    report(['certificates', 'lifetime'], 'must be at least 10m with the issuer type csr');
  }
  if (issuer.type === 'cert-manager' && (parseDuration(lifetime) ?? 0) < minCertManagerMs) {
    report(['certificates', 'lifetime'], 'must be at least 1h with the issuer type cert-manager');
  }
  if (issuer.type === 'cert-manager') checkKind(issuer, report);
  if (issuer.type !== 'openshift-service-ca') return;
  for (const [key, list] of Object.entries({ dnsNames, ipAddresses })) {
    if (list.length > 0)
      report(['certificates', key], "OpenShift's service CA operator issues certificates only for the name of the Service; remove it");
  }
}

/** Other groups have kinds of their own, such as StepIssuer of certmanager.step.sm. */
function checkKind({ issuerRef }: Extract<Spec['certificates']['issuer'], { readonly type: 'cert-manager' }>, report: Report): void {
  if (issuerRef?.group !== 'cert-manager.io' || ['Issuer', 'ClusterIssuer'].includes(issuerRef.kind)) return;
  const path = ['certificates', 'issuer', 'issuerRef', 'kind'];
  report(path, 'must be Issuer or ClusterIssuer, or set group to the API group of the kind');
}

/** The pods mount the Secret with the serving certificate, and must not have the key of the CA. */
function checkCaSecret({ service, certificates }: Pick<Spec, 'service' | 'certificates'>, report: Report): void {
  const { issuer, secretName = `${service.name}-tls` } = certificates;
  if (issuer.type !== 'self-signed') return;
  const { caKey, caSecretName = `${service.name}-ca` } = issuer;
  const path = ['certificates', 'issuer', 'caSecretName'];
  if (caKey === 'file' && issuer.caSecretName !== undefined)
    report(path, 'has no effect with caKey: file; set caKey: secret, or remove it');
  if (caKey === 'secret' && caSecretName === secretName)
    report(path, 'must not be the Secret with the serving certificate, which the pods mount');
}

/** k8s.io/kubernetes/pkg/apis/certificates/validation, expirationSeconds. */
const minRequestMs = 600_000;

/** cert-manager pkg/apis/certmanager/v1/const.go, MinimumCertificateDuration. */
const minCertManagerMs = 3_600_000;

/** apisvc sets both flags, and the last one wins. */
function checkFiles(flags: readonly PlacedFlag[], report: Report): void {
  for (const { flag, path } of flags) {
    if (flag !== 'tls-cert-file' && flag !== 'tls-private-key-file') continue;
    report(path, `apisvc sets --${flag} itself; remove it, or set spec.certificates.flags to none`);
  }
}

const placeText = (path: readonly PropertyKey[]): string => `spec.${path.slice(0, -1).join('.')}[${String(path.at(-1))}]`;
