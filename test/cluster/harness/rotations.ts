import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { projectFiles } from '../../../src/project/project.ts';
import { getJson } from './administrator.ts';
import type { AnyApiProject } from './any-api-project.ts';
import { apisvc } from './commands.ts';
import { processesWith } from './processes.ts';
import { kubectlOk } from './projects.ts';
import { groupOf } from './registrations.ts';
import { type LoadReport, startLoad } from './start-load.ts';
import { isShort } from './thorough.ts';

/** The certificates of a PEM text. */
export const certificatesOf = (pem: string): X509Certificate[] =>
  (pem.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? []).map((each) => new X509Certificate(each));

/** SHA-256 of each certificate of a PEM text. */
export const fingerprintsOf = (pem: string): string[] => certificatesOf(pem).map(({ fingerprint256 }) => fingerprint256);

const decoded = (text: string): string => Buffer.from(text, 'base64').toString();

/** Of makeAnyApiProject. */
export const secretPath = (name: string): string => `/api/v1/namespaces/${name}/secrets/${name}-tls`;
const apiServicePath = (apiService: string): string => `/apis/apiregistration.k8s.io/v1/apiservices/${apiService}`;

/**
 * What is in the three places of a project; the namespace and the Secret are those of
 * makeAnyApiProject.
 */
export async function placesOf({ dir, apiService }: AnyApiProject, name: string) {
  const files = projectFiles(dir);
  const [{ data: secret }, api] = await Promise.all([getJson(secretPath(name)), getJson(apiServicePath(apiService))]);
  return {
    files: { ca: fingerprintsOf(readFileSync(files.caCertificate, 'utf8')), leaf: fingerprintsOf(readFileSync(files.certificate, 'utf8')) },
    secret: { ca: fingerprintsOf(decoded(secret['ca.crt'])), leaf: fingerprintsOf(decoded(secret['tls.crt'])) },
    bundle: fingerprintsOf(decoded(api.spec.caBundle)),
    pending: existsSync(join(dir, 'certs', 'next')),
  };
}

/** The field managers of a caBundle. */
export async function bundleManagersOf(apiService: string): Promise<string[]> {
  const { metadata } = await getJson(apiServicePath(apiService));
  return metadata.managedFields.flatMap((entry: { manager: string; fieldsV1: { 'f:spec'?: object } }) =>
    Object.hasOwn(entry.fieldsV1['f:spec'] ?? {}, 'f:caBundle') ? [entry.manager] : [],
  );
}

/**
 * Expects that files, Secret, caBundle and the served certificates agree, and that nothing is
 * pending.
 */
export async function expectAgreement(project: AnyApiProject, name: string) {
  const { files, secret, bundle, pending } = await placesOf(project, name);
  expect({ secret, bundle, pending }).toEqual({ secret: files, bundle: files.ca, pending: false });
  const { exitCode, stdout } = await apisvc(['verify', '-C', project.dir, '-o', 'wide']);
  expect({ exitCode, stdout }).toMatchObject({ exitCode: 0 });
  expect((await getJson(`/apis/coordination.k8s.io/v1/namespaces/${name}/leases`)).items).toEqual([]);
  return files;
}

/** Requests per second where docs/ has figures. A whole tier sends fewer, which cost less. */
export const documentedRate = isShort ? 40 : 100;

/** Runs a load while something happens. @throws what happens */
export async function underLoad(project: AnyApiProject, happen: () => Promise<unknown>, rate = 10): Promise<LoadReport> {
  const load = await startLoad({ ...project.target, rate });
  try {
    await happen();
  } catch (error) {
    await load.stop();
    throw error;
  }
  return load.stop();
}

/** Expects that no request failed or had to be sent again, and that the watch survived. */
export function expectNoFailure({ failures, byText, retried, watch }: LoadReport): void {
  const { opened, closed } = watch ?? {};
  expect({ failures, byText, retried, opened, closed }).toEqual({ failures: 0, byText: [], retried: [], opened: 1, closed: [] });
}

/**
 * Expects that no request failed while pods restarted. A server built on k8s.io/apiserver may ask
 * clients to send a request again in the milliseconds between the end of its
 * `--shutdown-delay-duration` and its GOAWAY.
 */
export function expectNoFailureDuringRestart({ failures, byText, retried }: LoadReport): void {
  const other = retried.filter(({ text }) => text !== 'HTTP 503: apiserver is shutting down');
  expect({ failures, byText, other }).toEqual({ failures: 0, byText: [], other: [] });
}

/** Starts a rotation of the CA that others disturb. */
export const startCaRotation = ({ dir }: AnyApiProject, soak = '2s', env: Readonly<Record<string, string>> = {}) =>
  apisvc(['rotate', '-C', dir, '--ca', '--soak', soak], { timeout: 170_000, env });

/** What it prints before the Secret is written. */
export const takingUp = /==> Waiting for every kube-apiserver/;

/**
 * Holds the server of one pod still while something happens. Until then, not every pod can serve a
 * new certificate.
 */
export async function whilePodStands<T>(name: string, happen: () => PromiseLike<T>): Promise<T> {
  const [pid] = processesWith(`--group-version=${groupOf(name)}/v1`);
  if (pid === undefined) throw new Error('no pod runs');
  process.kill(pid, 'SIGSTOP');
  try {
    return await happen();
  } finally {
    process.kill(pid, 'SIGCONT');
  }
}

// biome-ignore lint/suspicious/noExplicitAny: JSON of a list.
type Items = readonly any[];

/**
 * Waits until no pod of a namespace is ending any more, and until what controllers write about it
 * has followed. A rollout, or a smaller number of replicas, is complete before that.
 */
export async function untilNoPodEnds(name: string): Promise<void> {
  const list = async (path: string): Promise<Items> => (await getJson(path.replace('*', `namespaces/${name}`))).items;
  const left = async (): Promise<readonly string[]> => {
    const [pods = [], slices = [], ...owners] = await Promise.all(
      ['/api/v1/*/pods', '/apis/discovery.k8s.io/v1/*/endpointslices', '/apis/apps/v1/*/replicasets', '/apis/apps/v1/*/deployments'].map(
        list,
      ),
    );
    const staying = pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined).map(({ metadata }) => metadata.name);
    const endpoints = slices.flatMap((slice) => slice.endpoints ?? []).map(({ targetRef }) => targetRef?.name);
    const names = [...pods.map(({ metadata }) => metadata.name), ...endpoints].filter((each) => !staying.includes(each));
    return [...names, ...owners.flat().flatMap(({ kind, status }) => (status.terminatingReplicas ? [kind] : []))];
  };
  await expect.poll(left, { timeout: 120_000, interval: 500 }).toEqual([]);
}

/** Runs `apisvc rotate`, which must succeed. */
export async function rotateOk(project: AnyApiProject, ...flags: readonly string[]) {
  const result = await apisvc(['rotate', '-C', project.dir, '--timeout', '4m', ...flags], { timeout: 250_000 });
  const { exitCode, stdout, stderr } = result;
  expect({ exitCode, output: exitCode === 0 ? '' : stdout + stderr }).toEqual({ exitCode: 0, output: '' });
  return { stdout, stderr };
}

/** The state of each step of a report, by its ID. */
export const statesOf = ({ steps }: { readonly steps: readonly { readonly id: string; readonly state: string }[] }) =>
  Object.fromEntries(steps.map(({ id, state }) => [id, state]));

/** Runs `apisvc rotate`, which must fail. `errors` is stderr from the error on. */
export async function rotateRefused({ dir }: AnyApiProject, ...flags: readonly string[]) {
  const { exitCode, stdout, stderr } = await apisvc(['rotate', '-C', dir, ...flags], { timeout: 250_000 });
  return { exitCode, stdout, errors: stderr.slice(stderr.indexOf('error: ')) };
}

/** For setMinReadySeconds: no rollout ends before a test sets another value. */
export const endless = 300;

/** How long new pods must be ready before a rollout goes on. */
export const setMinReadySeconds = (name: string, minReadySeconds: number): Promise<string> =>
  kubectlOk(['patch', 'deployment', name, '-n', name, '--type=merge', '-p', JSON.stringify({ spec: { minReadySeconds } })]);

/** What `rotateRefused` returns while another command changes the certificate. */
export const namesTheFirst = (name: string) => ({
  exitCode: 1,
  errors: expect.stringMatching(
    new RegExp(
      `^error: \\S+@\\S+ has been changing the certificate of Service ${name}/${name} since \\S+\\nfix: Wait until that command is complete\\.`,
    ),
  ),
});
