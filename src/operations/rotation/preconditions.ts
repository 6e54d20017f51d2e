import { getObject, listObjects } from '../../cluster/objects.ts';
import { conflictsOf } from '../../cluster/ownership.ts';
import { resources } from '../../cluster/resources.ts';
import { apiServiceNames } from '../../config/registration.ts';
import { shellWord } from '../../config/shell-word.ts';
import { type ApisvcError, RefusedError } from '../../errors.ts';
import type { CertificateInfo } from '../../pki/types.ts';
import { viewApiService } from '../../snapshot/views.ts';
import { outdatedCopy } from '../outdated.ts';
import { replacedCa } from '../replaced-ca.ts';
import { combineErrors, type Step, withoutChanges } from '../runner.ts';
import { isExpired, lackedBy, trustsAny } from './bundles.ts';
import { complete } from './decide.ts';
import { hasSecret, leafOf, readApiServices, readSecret, secretRef } from './live.ts';
import type { RotateRequest } from './request.ts';
import { type CertificateSet, type Rotation, serviceOf } from './rotation.ts';

type Where = Pick<Rotation, 'cluster' | 'signal' | 'registration' | 'now'>;
/** `dir` is the directory of the project. */
type InProject = Where & Pick<RotateRequest, 'dir'>;

/**
 * Checks that the project describes what runs in the cluster: before a rotation begins, before one
 * continues that no Lease describes, and before one is called complete.
 * @param pending the certificates in certs/next, which the cluster may have instead
 * @throws RefusedError with every difference; as `outdatedCopy` and `replacedCa` return it
 */
export async function requireAgreement(where: InProject, current: CertificateSet, pending?: Pending): Promise<void> {
  const sets = pending?.set ? [current, pending.set] : [current];
  const bundles = await bundleFaults(where, sets);
  const inSecret = await secretFaults(where, sets);
  const own = [...inSecret.own, ...bundles.own];
  const reasons = [...own, ...bundles.lacking.map((name) => `the caBundle of apiservice/${name} lacks the CA in certs/ca.crt`)];
  if (reasons.length === 0) return;
  const { presented, anchors } = current;
  const copy = { ...where, presented, anchors, now: where.now() };
  const outdated = await outdatedCopy(copy);
  const refused = pending ? undefined : (outdated ?? (await replacedCa(copy)));
  if (refused) throw withoutChanges(refused);
  const others = bundles.lacking.filter((name) => !apiServiceNames(where.registration).includes(name));
  const isOthers = own.length === 0 && others.length === bundles.lacking.length;
  const again = `${pending ? 'Then' : 'Or'} register the project again`;
  const fixes = [
    'See the differences: apisvc status',
    ...(pending ? [`If no server uses the certificates in certs/next, delete them: rm -r ${shellWord(pending.path)}`] : []),
    ...others.map(
      (name) =>
        `apiservice/${name} is not part of the project. Add the CA in certs/ca.crt to its caBundle, or point it at another Service: kubectl edit apiservice ${name}`,
    ),
    // `register` would refuse, or change nothing.
    ...(outdated || isOthers
      ? []
      : registering(again, { isForeign: inSecret.isForeign || bundles.isForeign, isOnlySecret: reasons.length === inSecret.own.length })),
  ];
  throw new RefusedError(`the project differs from the cluster: ${reasons.join('; ')}\nnothing was changed`, { fix: fixes.join('\n') });
}

/**
 * The command that writes the objects again. What another manager wrote has to be taken over.
 * @param isOnlySecret whether only the Secret differs, so that nothing else has to be
 */
function registering(
  again: string,
  { isForeign, isOnlySecret }: { readonly isForeign: boolean; readonly isOnlySecret: boolean },
): readonly string[] {
  if (!isForeign) return [`${again}: apisvc register`];
  if (isOnlySecret) return [`${again}: apisvc register --only secrets --force-conflicts`];
  return [
    `${again}: apisvc register --force-conflicts`,
    'This takes over every field of the project that other field managers own. To see these fields first: apisvc register --diff --force-conflicts',
  ];
}

/**
 * Checks that the APIs lead to the Service of the project. kube-apiserver would refuse a
 * certificate for another name.
 * @throws RefusedError with the Service in the cluster
 */
export async function requireSameService(where: Pick<Where, 'cluster' | 'signal' | 'registration'>): Promise<void> {
  const { namespace, name } = serviceOf(where);
  const names = apiServiceNames(where.registration);
  const all = await listObjects(where.cluster, { resource: resources.APIService }, where.signal);
  for (const found of all.filter(({ metadata }) => names.includes(metadata.name))) {
    const { service } = viewApiService(found);
    if (!service || (service.namespace === namespace && service.name === name)) continue;
    const apiService = found.metadata.name;
    const path = service.namespace === namespace ? 'spec.service.name' : 'metadata.namespace and spec.service.name';
    const refused = `apiservice/${apiService} points at Service ${service.namespace}/${service.name}, not at Service ${namespace}/${name}`;
    throw withoutChanges(new RefusedError(refused, { fix: `In apisvc.yaml, correct ${path}.` }));
  }
}

/** The error where no APIService leads to the Service, so that nothing can be rotated. */
export function notRegistered(where: Pick<Rotation, 'registration'>): RefusedError {
  const { namespace, name } = serviceOf(where);
  return new RefusedError(`no APIService points at Service ${namespace}/${name}\nnothing was changed`, {
    fix: 'Register the API first: apisvc register',
  });
}

/**
 * Checks that an APIService leads to the Service of the project.
 * @throws RefusedError where there is none; as `requireSameService`
 */
export async function requireRegistered(where: Pick<Where, 'cluster' | 'signal' | 'registration'>): Promise<void> {
  if ((await readApiServices(where)).length > 0) return;
  await requireSameService(where);
  throw notRegistered(where);
}

/**
 * Looks at the steps that write to the cluster before the first one does.
 * @throws RefusedError with everything that they refuse
 */
export async function requireWritable(steps: readonly Step[]): Promise<void> {
  const faults: ApisvcError[] = [];
  for (const step of steps.filter(({ id }) => ['ca-key', 'trust-both', 'secret'].includes(id))) {
    const observation = await step.observe();
    if (observation.state === 'fault') faults.push(observation.error);
  }
  // The next certificates are on disk already: whoever owns a caBundle needs the new CA.
  if (faults.length > 0) throw withoutChanges(combineErrors(faults), 'nothing in the cluster was changed');
}

/** certs/next. */
export interface Pending {
  readonly set: CertificateSet | undefined;
  readonly path: string;
}

/** `isForeign`: `register` would refuse to overwrite what another manager wrote. */
async function secretFaults(where: Where, sets: readonly CertificateSet[]) {
  if (!hasSecret(where)) return { own: [], isForeign: false };
  const ref = secretRef(where);
  const found = await getObject(where.cluster, ref, where.signal);
  if (!found) return { own: [`Secret ${ref.namespace}/${ref.name} not found`], isForeign: false };
  const leaf = leafOf(found);
  if (sets.some((set) => set.leaf === leaf?.fingerprint)) return { own: [], isForeign: false };
  const holds = leaf ? certificateDate(leaf) : 'no certificate';
  return {
    own: [`Secret ${ref.namespace}/${ref.name} holds ${holds}, not the certificate in certs/tls.crt`],
    isForeign: conflictsOf(found, { data: { 'tls.crt': '', 'tls.key': '' } }).length > 0,
  };
}

/** @returns the APIServices whose caBundle lacks the CA, and the rest as `secretFaults` */
async function bundleFaults(where: Where, sets: readonly CertificateSet[]) {
  const { namespace, name } = serviceOf(where);
  const found = await readApiServices(where);
  if (found.length === 0) return { own: [`no APIService points at Service ${namespace}/${name}`], lacking: [], isForeign: false };
  const lacking = found.filter((each) => {
    const api = viewApiService(each);
    return !api.insecureSkipTLSVerify && sets.every(({ anchors }) => lackedBy(api, anchors, where.now()).length > 0);
  });
  return {
    own: [],
    lacking: lacking.map(({ metadata }) => metadata.name),
    isForeign: lacking.some((each) => conflictsOf(each, { spec: { caBundle: '' } }).length > 0),
  };
}

/**
 * The way back exists while some caBundle still trusts the old CA.
 * @throws RefusedError where it does not exist
 */
export async function requireWayBack(where: Where, { anchors }: CertificateSet): Promise<void> {
  if (haveExpired(anchors, where.now()))
    throw new RefusedError('the old CA has expired, so rotate cannot roll back to it', { fix: 'Finish the rotation: apisvc rotate' });
  if (!(await isTrusted(where, anchors))) throw complete('ca');
}

/** Whether `requireWayBack` finds a way back to these CAs. */
export const hasWayBack = async (where: Where, { anchors }: CertificateSet): Promise<boolean> =>
  !haveExpired(anchors, where.now()) && isTrusted(where, anchors);

const haveExpired = (anchors: readonly CertificateInfo[], now: Date): boolean =>
  anchors.length > 0 && anchors.every((each) => isExpired(each, now));

/**
 * Whether a rotation that no Lease describes has changed nothing in the cluster. Somebody may have
 * deleted its Lease.
 */
export const hasWrittenNothing = async (where: Where, { leaf }: CertificateSet, { anchors }: CertificateSet): Promise<boolean> =>
  hasSecret(where) && leafOf(await readSecret(where))?.fingerprint === leaf && !(await isTrusted(where, anchors));

const isTrusted = async (where: Where, anchors: readonly CertificateInfo[]): Promise<boolean> =>
  (await readApiServices(where)).some((each) => trustsAny(viewApiService(each), anchors));

/** `CN=api.wardle.svc (SHA-256 AB:CD:…, expires on 2027-11-28)`, for messages. */
const certificateDate = ({ subject, dnsNames, fingerprint, notAfter }: CertificateInfo): string =>
  `${subject || dnsNames[0]} (SHA-256 ${fingerprint.slice(0, 23)}..., expires on ${notAfter.slice(0, 10)})`;
