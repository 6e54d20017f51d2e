import { parseRegistration } from '../config/load.ts';
import { apiServiceNames, secretName } from '../config/registration.ts';
import type { Registration } from '../config/schema.ts';
import { verifiedConfiguration } from '../config/secured.ts';
import { UsageError } from '../errors.ts';
import { issueCertificates } from '../issuers/issuers.ts';
import type { SecurePlan } from '../operations/secure/plan.ts';
import type { Issued } from '../pki/types.ts';
import { readCertificates, requireCertificates } from '../project/certificates.ts';
import { finishPromotion, refuseDuringRotation } from '../project/generations.ts';
import {
  isProject,
  type NewProject,
  projectFiles,
  readConfiguration,
  readRegistration,
  readSchema,
  refuseFile,
} from '../project/project.ts';

/** What the plan needs from the disk. */
export interface Prepared {
  readonly plan: Exclude<SecurePlan, { kind: 'secured' }>;
  readonly registration: Registration;
  readonly issued: Issued;
  /** Undefined where the server keeps its own certificate. */
  readonly dir: string | undefined;
  /** What is not on disk yet. */
  readonly project: NewProject | undefined;
}

/**
 * Reads the project of an earlier run, or makes one. It writes nothing, except that it finishes an
 * interrupted promotion of certs/next.
 */
export async function prepare(plan: Prepared['plan'], name: string, directory: string | undefined): Promise<Prepared> {
  const dir = directory ?? plan.registration.metadata.name;
  if (plan.kind === 'trust') return prepareTrust(plan, name, directory);
  refuseFile(dir);
  const earlier = isProject(dir) ? readEarlier(dir, plan, name) : undefined;
  const registration = earlier?.registration ?? plan.registration;
  if (earlier?.issued) return { plan, registration, issued: earlier.issued, dir, project: undefined };
  const certificates = await issueCertificates(registration, { given: undefined, now: new Date() });
  const configuration = earlier ? earlier.configuration : plan.configuration;
  const project = { configuration, isNew: earlier === undefined, schema: readSchema(), certificates };
  return { plan, registration, issued: certificates.issued, dir, project };
}

interface Earlier {
  readonly registration: Registration;
  /** The new text of an apisvc.yaml that has the issuer type `insecure`; undefined keeps it. */
  readonly configuration: string | undefined;
  /** Undefined where there are no certificates, or where the run ended while it wrote them. */
  readonly issued: Issued | undefined;
}

/** @throws RefusedError during a rotation; as `refuseOtherProject` and `requireCertificates` */
function readEarlier(dir: string, plan: Extract<SecurePlan, { kind: 'adopt' }>, name: string): Earlier {
  finishPromotion(dir);
  refuseDuringRotation(dir);
  const insecure = readInsecure(dir, plan.registration, name);
  if (insecure !== undefined) return verified(dir, plan, insecure);
  const registration = readRegistration(dir);
  refuseOtherProject(dir, registration, plan.registration, name);
  const request = { withKey: true, now: new Date() } as const;
  const { faults } = readCertificates(dir, registration, request);
  const isUnfinished = faults.length > 0 && faults.every(({ code }) => unfinished.includes(code));
  const issued = isUnfinished ? undefined : requireCertificates(dir, registration, request);
  return { registration, configuration: undefined, issued };
}

/** The faults of certificates of which not all files are written. */
const unfinished: readonly string[] = ['file-not-found', 'key-mismatch', 'unknown-authority'];

/** Lets apisvc sign the certificate of a project with the issuer type `insecure`. */
function verified(dir: string, { registration: wanted }: Extract<SecurePlan, { kind: 'adopt' }>, insecure: string): Earlier {
  const { issuer, secretName: secret } = wanted.spec.certificates;
  const configuration = verifiedConfiguration(insecure, { type: issuer.type }, secret, wanted);
  return { registration: parseRegistration(configuration, projectFiles(dir).configuration), configuration, issued: undefined };
}

/** A project without verification, as `init --from-cluster` makes it. @returns its apisvc.yaml */
function readInsecure(dir: string, wanted: Registration, name: string): string | undefined {
  const found = readSame(dir, wanted, name);
  return found?.spec.certificates.issuer.type === 'insecure' ? readConfiguration(dir) : undefined;
}

const readSame = (dir: string, wanted: Registration, name: string): Registration | undefined => {
  const found = isProject(dir) ? readRegistration(dir) : undefined;
  return found && isSameServer(found, wanted, name) ? found : undefined;
};

/**
 * The server keeps its certificate, so that it needs no project. One that has the issuer type
 * `insecure` names the Secret then.
 */
function prepareTrust(plan: Extract<SecurePlan, { kind: 'trust' }>, name: string, dir: string | undefined): Prepared {
  const { issued, secret } = plan;
  const without = { plan, issued, registration: plan.registration, dir: undefined, project: undefined };
  if (dir === undefined) return without;
  const text = readInsecure(dir, plan.registration, name);
  if (text !== undefined) {
    const configuration = verifiedConfiguration(text, { type: 'existing-secret' }, secret, plan.registration);
    const registration = parseRegistration(configuration, projectFiles(dir).configuration);
    return { plan, issued, registration, dir, project: { configuration, schema: readSchema(), certificates: undefined } };
  }
  const found = readSame(dir, plan.registration, name);
  // An earlier run that did not complete has changed the file.
  if (found?.spec.certificates.issuer.type === 'existing-secret' && secretName(found) === secret)
    return { plan, issued, registration: found, dir, project: undefined };
  return without;
}

const isSameServer = (found: Registration, wanted: Registration, name: string): boolean =>
  apiServiceNames(found).includes(name) &&
  found.metadata.namespace === wanted.metadata.namespace &&
  found.spec.service.name === wanted.spec.service.name &&
  found.spec.server.existing !== undefined;

/** @throws UsageError where the directory has the project of another server */
function refuseOtherProject(dir: string, found: Registration, wanted: Registration, name: string): void {
  if (isSameServer(found, wanted, name)) return;
  throw new UsageError(`${projectFiles(dir).configuration} describes another server`, {
    fix: `Choose another directory: apisvc secure ${name} -C DIR`,
  });
}
