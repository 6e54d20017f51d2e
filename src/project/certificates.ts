import { X509Certificate } from 'node:crypto';
import { fileFix, fileReason } from '../config/file-errors.ts';
import { issuerFlags } from '../config/issuer-flags.ts';
import { inDirectory, moveAside, newKeysCommand } from '../config/project-commands.ts';
import { servingNames } from '../config/registration.ts';
import type { Registration } from '../config/schema.ts';
import type { IssuerType } from '../config/schema-certificates.ts';
import { shellWord } from '../config/shell-word.ts';
import { UsageError } from '../errors.ts';
import { noCertificate } from '../pki/authority.ts';
import { type CertificateFault, type CertificatePart, certificateFaultText } from '../pki/certificate-faults.ts';
import { inspect } from '../pki/inspect.ts';
import { describeKey, readPrivateKey, toPrivateKey } from '../pki/keys.ts';
import type { PrivateKey } from '../pki/private-key.ts';
import { checkServing, type ServingFault } from '../pki/trust.ts';
import type { CertificateInfo, Issued, ServingNames } from '../pki/types.ts';
import { certificateFiles, projectFiles } from './project.ts';
import { pemText, readBytes } from './read.ts';
import { pathsOfSets, refuseInterrupted } from './sets.ts';

export interface CertificatesRequest {
  /** false: the private key is not read. It may be on another machine. */
  readonly withKey: boolean;
  /** A key that the user gives. The file of the key is not read. */
  readonly given?: PrivateKey | undefined;
  /** The set in certs/, or the one in certs/next/. Default current. */
  readonly set?: 'current' | 'next';
  readonly now: Date;
}

/** The certificates of a project that could be read, and all their faults. */
export interface ReadCertificates extends Issued {
  readonly faults: readonly CertificateFault[];
}

/**
 * Reads the certificates of a project directory and checks that they can serve the registration:
 * every name, the dates and the chain, as kube-apiserver would check them.
 */
export function readCertificates(
  dir: string,
  registration: Registration,
  { withKey, given, set = 'current', now }: CertificatesRequest,
): ReadCertificates {
  refuseInterrupted(dir);
  const paths = pathsOf(dir, set);
  const ca = certificatesIn(paths, 'caCertificate');
  const leaf = certificatesIn(paths, 'certificate');
  const key = withKey && !given ? keyIn(paths, leaf.certificates) : { key: given, faults: [] };
  const readable = ca.certificates.length > 0 && leaf.certificates.length > 0;
  return {
    // Only the certificates: everyone may read a caBundle, and some keep the key in the same file.
    chain: leaf.certificates.map(({ pem }) => pem).join(''),
    anchors: ca.certificates.map(({ pem }) => ({ pem, role: 'current' })),
    ...(key.key ? { key: key.key } : {}),
    faults: [
      ...ca.faults,
      ...leaf.faults,
      ...key.faults,
      ...(readable ? servingFaults(leaf.certificates, ca.certificates, servingNames(registration), now) : []),
    ],
  };
}

/**
 * The same, for commands that need valid certificates.
 * @throws UsageError with every fault, one on each line
 */
export const requireCertificates = (dir: string, registration: Registration, request: CertificatesRequest): Issued =>
  withoutFaults(dir, registration, readCertificates(dir, registration, request));

/** The certificates to register, or those without the key where certs/ has no key. */
export type CertificatesToRegister =
  | { readonly issued: Issued; readonly missingKey?: undefined }
  /** git ignores the key, so it may exist only on another machine and in the cluster. */
  | { readonly issued?: undefined; readonly missingKey: Issued };

/**
 * The certificates that `register` applies. A server outside the cluster needs no Secret, and so no
 * key.
 * @param given the private key, where the user gives it
 * @throws as `requireCertificates`; without a key only for a CA certificate that cannot be read
 */
export function certificatesToRegister(dir: string, registration: Registration, now: Date, given?: PrivateKey): CertificatesToRegister {
  const { faults, ...read } = readCertificates(dir, registration, { withKey: !registration.spec.server.external, given, now });
  if (!faults.some(({ part, code }) => part === 'key' && code === 'file-not-found')) {
    return { issued: withoutFaults(dir, registration, { faults, ...read }) };
  }
  const unreadable = faults.filter(({ part, code }) => part === 'caCertificate' && code !== 'file-not-found');
  return { missingKey: withoutFaults(dir, registration, { faults: read.anchors.length > 0 ? [] : unreadable, ...read }) };
}

function withoutFaults(dir: string, registration: Registration, { faults, ...issued }: ReadCertificates): Issued {
  if (faults.length === 0) return issued;
  throw new UsageError(projectFaultTexts(dir, faults).join('\n'), { fix: unreadableFix(faults) ?? renewalFix(dir, registration, faults) });
}

/** Where the API is registered, new files from `init` mean an outage that `rotate` avoids. */
function renewalFix(dir: string, registration: Registration, faults: readonly CertificateFault[]): string {
  const issuer = registration.spec.certificates.issuer.type;
  const command = newKeysCommand({ directory: dir, issuer });
  const isOf = (...codes: readonly CertificateFault['code'][]): boolean => faults.every(({ code }) => codes.includes(code));
  if (isOf('key-mismatch')) {
    return [
      `If the certificate was rotated in another copy of the project, delete the old key: rm ${shellWord(projectFiles(dir).key)}`,
      '  register then uses the key in the Secret, or the key from --keys.',
      `Otherwise, restore the files, or create new certificates: ${command}`,
    ].join('\n');
  }
  if (faults.every(({ part, code }) => part === 'key' && code !== 'file-not-found') && !issuerFlags[issuer].requested) {
    return replaceKeyFix(dir, issuer);
  }
  if (!isOf('file-not-found', 'names', 'expired')) return `Restore the files, or create new certificates: ${command}`;
  // Its name constraints permit only the names before.
  const needsCa = faults.some(({ part, code }) => code === 'names' || (part === 'caCertificate' && code === 'expired'));
  return [
    ...(isOf('names', 'expired') ? [] : ['Restore the files, for example from Git.']),
    `If the API is registered, replace the certificate while the API keeps serving: ${inDirectory('apisvc rotate', dir)}${needsCa ? ' --ca' : ''}`,
    `If the API is not registered, create new certificates: ${command}`,
  ].join('\n');
}

/** The CA is usable, and `init` would replace it too. */
function replaceKeyFix(dir: string, issuer: IssuerType): string {
  const { needed } = issuerFlags[issuer];
  const rotate = `${moveAside(projectFiles(dir).key)} && ${inDirectory('apisvc rotate', dir)}${needed && ` ${needed}`}`;
  return [
    'Restore the file.',
    `If the API is registered, move the file aside, and replace the certificate while the API keeps serving: ${rotate}`,
    `If the API is not registered, create new certificates: ${newKeysCommand({ directory: dir, issuer })}`,
  ].join('\n');
}

/** What to do first: new certificates do not help where a file may not be used. */
export const unreadableFix = (faults: readonly CertificateFault[]): string | undefined =>
  faults.flatMap((fault) => (fault.code === 'file-unreadable' ? (fault.fix ?? []) : []))[0];

/** A line for each fault, with the paths of the project. */
export const projectFaultTexts = (dir: string, faults: readonly CertificateFault[]): string[] =>
  faults.map((fault) => certificateFaultText(fault, projectFiles(dir)));

/** Why `init` cannot keep the certificates: any fault, or a key type other than in apisvc.yaml. */
export function faultsAgainstKeeping(dir: string, registration: Registration, now: Date): readonly CertificateFault[] {
  const { chain, faults } = readCertificates(dir, registration, { withKey: true, now });
  const wanted = registration.spec.certificates.keyType;
  const key = inspect(chain).certificates[0]?.publicKey;
  return key === undefined || key === wanted ? faults : [...faults, { part: 'key', code: 'key-type', key, wanted }];
}

interface ReadFile {
  readonly text: string;
  readonly faults: readonly CertificateFault[];
}

type Paths = Readonly<Record<CertificatePart, string>>;

function readPart(paths: Paths, part: CertificatePart): ReadFile {
  const path = paths[part];
  try {
    return { text: pemText(readBytes(path)), faults: [] };
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return { text: '', faults: [{ part, code: 'file-not-found' }] };
    const aside = `Move the directory away: mv ${shellWord(path)} ${shellWord(`${path}.old`)}`;
    const fix = (cause as NodeJS.ErrnoException).code === 'EISDIR' ? aside : fileFix('read', path, cause);
    return { text: '', faults: [{ part, code: 'file-unreadable', reason: fileReason(cause), ...(fix === undefined ? {} : { fix }) }] };
  }
}

function certificatesIn(paths: Paths, part: CertificatePart) {
  const { text, faults } = readPart(paths, part);
  const found = inspect(text);
  const { certificates } = found;
  return { certificates, faults: faults.length > 0 || certificates.length > 0 ? faults : [{ part, ...noCertificate(found) }] };
}

/** The certificates of a file that can be read. @throws UsageError as `refuseInterrupted` */
export function certificatesOf(
  dir: string,
  part: CertificatePart,
  set: CertificatesRequest['set'] = 'current',
): readonly CertificateInfo[] {
  refuseInterrupted(dir);
  return certificatesIn(pathsOf(dir, set), part).certificates;
}

/**
 * Why a file has no certificates; undefined where it has some, or does not exist: git may ignore
 * the file.
 */
export function whyUnreadable(dir: string, part: CertificatePart, set: 'current' | 'next'): string | undefined {
  const paths = pathsOf(dir, set);
  const fault = certificatesIn(paths, part).faults.find(({ code }) => code !== 'file-not-found');
  return fault && certificateFaultText(fault, paths).slice(`${paths[part]}: `.length);
}

/**
 * The private key in certs/tls.key.
 * @param leaf the certificate that it must belong to
 * @returns the key; its fault where the file has none, or another one
 */
export function keyOf(dir: string, leaf: CertificateInfo): { readonly key?: PrivateKey; readonly fault?: CertificateFault } {
  const { key, faults } = keyIn(pathsOf(dir, 'current'), [leaf]);
  const [fault] = faults;
  return { ...(key ? { key } : {}), ...(fault ? { fault } : {}) };
}

const pathsOf = (dir: string, set: 'current' | 'next') => (set === 'next' ? certificateFiles(pathsOfSets(dir).next) : projectFiles(dir));

function keyIn(paths: Paths, [leaf]: readonly CertificateInfo[]): { readonly key?: PrivateKey; readonly faults: CertificateFault[] } {
  const part = 'key';
  const { text, faults } = readPart(paths, part);
  if (faults.length > 0) return { faults: [...faults] };
  const { key, fault } = readPrivateKey(text);
  if (fault) return { faults: [{ part, ...fault }] };
  if (!leaf || new X509Certificate(leaf.pem).checkPrivateKey(key)) return { key: toPrivateKey(key), faults: [] };
  return { faults: [{ part, code: 'key-mismatch', subjects: [leaf.subject || describeKey(key)] }] };
}

/** Why kube-apiserver would not accept the certificate for one of the names. */
export function servingFaults(
  presented: readonly CertificateInfo[],
  roots: readonly CertificateInfo[],
  { dns, ip }: ServingNames,
  now: Date,
): CertificateFault[] {
  const checks = [...dns, ...ip].map((hostname) => ({ hostname, faults: checkServing({ presented, roots, hostname, now }) }));
  const missing = checks.filter(({ faults }) => faults.some(isNameFault)).map(({ hostname }) => hostname);
  // The chain is the same for every name.
  const [first] = checks;
  return [
    ...(missing.length > 0 ? [{ part: 'certificate', code: 'names', missing } as const] : []),
    ...(first?.faults ?? []).flatMap(chainFault),
  ];
}

const isNameFault = ({ kind }: ServingFault): boolean => kind === 'name-mismatch' || kind === 'common-name-only';

function chainFault(fault: ServingFault): CertificateFault[] {
  const { subject, notAfter, notBefore, publicKey: key } = fault.certificate;
  const part = 'role' in fault && fault.role === 'root' ? 'caCertificate' : 'certificate';
  switch (fault.kind) {
    case 'expired':
      return [{ part, code: 'expired', subject, notAfter }];
    case 'not-yet-valid':
      return [{ part, code: 'not-yet-valid', subject, notBefore }];
    case 'usage':
      return [{ part, code: 'no-server-auth', subject }];
    case 'unknown-authority':
      return [{ part, code: 'unknown-authority', reason: fault.reason }];
    case 'weak-signature':
      return [{ part, code: 'weak-signature', subject, algorithm: fault.algorithm }];
    case 'weak-key':
      return fault.refused ? [{ part, code: 'weak-key', subject, key }] : [];
    case 'name-constraints':
      return [{ part, code: 'name-constraints', subject, names: fault.names }];
    case 'path-length':
      return [{ part, code: 'path-length', subject, limit: fault.limit }];
    // Reported with the other names of the registration.
    case 'name-mismatch':
    case 'common-name-only':
      return [];
  }
}
