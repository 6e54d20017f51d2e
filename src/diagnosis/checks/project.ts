import { supersedes } from '../../pki/supersedes.ts';
import type { CertificateInfo } from '../../pki/types.ts';
import type { DeclaredView, ProjectView } from '../../snapshot/types.ts';
import { fileIn } from '../project-files.ts';
import { isReplacement } from '../replacement.ts';
import type { Observation } from '../types.ts';
import { type Check, type CheckContext, observation, seen } from './check.ts';
import { isCaRotated, isRotated } from './rotation.ts';
import { nameOf, served, servedBy } from './served-certificates.ts';

/**
 * Whether the cluster uses the certificates of the project, which `apisvc register` would apply.
 */
export const checkProject: Check = (context) => {
  const { project, declared } = context.snapshot;
  return [
    ...(declared ? checkDeclared(context, declared) : []),
    ...(project ? [...checkManagers(context, project), ...checkAuthority(context, project), ...checkServed(context, project)] : []),
  ];
};

/** What apisvc.yaml names now, and what was registered. */
function checkDeclared({ api: { service }, snapshot }: CheckContext, declared: DeclaredView): readonly Observation[] {
  if (!service) return [];
  const { namespace, name } = declared.service;
  const [used, wanted] = [`${service.namespace}/${service.name}`, `${namespace}/${name}`];
  if (used !== wanted) {
    const evidence = [`spec.service of the APIService: ${used}`, `Service in apisvc.yaml: ${wanted}`];
    return [observation('registration/other-service', evidence, { used, wanted })];
  }
  const secret = seen(snapshot.server)?.certificateSecret;
  if (declared.secret === undefined || secret === undefined || secret === declared.secret) return [];
  const evidence = [`the pods mount the Secret ${secret}`, `Secret in apisvc.yaml: ${declared.secret}`];
  return [observation('cert/other-secret', evidence, { used: `${namespace}/${secret}`, wanted: `${namespace}/${declared.secret}` })];
}

/** The managers that `rotate --ca` would refuse to overrule. */
function checkManagers({ api }: CheckContext, { authorities }: ProjectView): readonly Observation[] {
  const { bundleManagers = [], insecureSkipTLSVerify } = api;
  if (bundleManagers.length === 0 || authorities.length === 0 || insecureSkipTLSVerify) return [];
  const evidence = bundleManagers.map(
    ({ manager, operation, time }) => `spec.caBundle: manager ${manager} (${operation})${time === undefined ? '' : ` at ${time}`}`,
  );
  const manager = [...new Set(bundleManagers.map((each) => each.manager))].join(', ');
  return [observation('registration/bundle-manager', evidence, { manager })];
}

const has = (certificates: readonly CertificateInfo[], { fingerprint }: CertificateInfo): boolean =>
  certificates.some((each) => each.fingerprint === fingerprint);

/** During a rotation, the caBundle has the CA of the project and another one. */
function checkAuthority(context: CheckContext, project: ProjectView): readonly Observation[] {
  const { directory, authorities } = project;
  const { roots, api } = context;
  const differs = authorities.length > 0 && !authorities.some((each) => has(roots, each));
  if (!differs || api.insecureSkipTLSVerify || !api.service || isCaRotated(context)) return [];
  const line = (where: string) => (ca: CertificateInfo) => `${where}: ${nameOf(ca)}, SHA-256 ${ca.fingerprint}`;
  const evidence = [...roots.map(line('caBundle')), ...authorities.map(line(fileIn(directory, 'ca.crt')))];
  return [{ ...observation('bundle/not-project-ca', evidence), isOutdated: isOutdated(context, project) }];
}

/** Whether a certificate that the caBundle accepts replaced the one of the project. */
function isOutdated(context: CheckContext, { certificate }: ProjectView): boolean {
  const { host: hostname, roots, now, snapshot } = context;
  if (!certificate || hostname === undefined) return false;
  const chains = [...servedBy(context).map(({ presented }) => presented), seen(snapshot.secret)?.certificates ?? []];
  return chains.some((presented) => supersedes({ presented, roots, hostname, now }, certificate));
}

function checkServed(context: CheckContext, project: ProjectView): readonly Observation[] {
  const { directory, certificate } = project;
  if (!certificate) return [];
  const known = servedBy(context).flatMap(({ at, presented: [leaf] }) => (leaf ? [{ at, leaf }] : []));
  const other = (known.length > 0 ? known : inSecret(context)).filter(
    ({ leaf }) => leaf.fingerprint !== certificate.fingerprint && !isRotated(context, leaf) && !isReplacement(leaf, project, context.now),
  );
  const [first] = other;
  if (!first) return [];
  const at = other.map((each) => each.at);
  const own = `${fileIn(directory, 'tls.crt')}: ${nameOf(certificate)}, issued by ${certificate.issuer || '(no name)'}, SHA-256 ${certificate.fingerprint}`;
  const args = { endpoints: at.join(', ') };
  const found = {
    ...observation('cert/not-project-certificate', [served(first.leaf), own], args),
    isOutdated: isOutdated(context, project),
  };
  return [{ ...found, ...(known.length > 0 ? { at } : {}) }];
}

/** Where no endpoint can be reached, the Secret tells what new pods serve. */
function inSecret({ snapshot, api }: CheckContext) {
  const view = seen(snapshot.secret);
  return (view?.certificates ?? []).slice(0, 1).map((leaf) => ({ at: `Secret ${api.service?.namespace}/${view?.name}`, leaf }));
}
