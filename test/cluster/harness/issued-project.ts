import { expect } from 'vitest';
import { makeAnyApiProject, removeAnyApiProject } from './any-api-project.ts';
import { installCertManagerCrds, startCertManager } from './cert-manager.ts';
import { makeCa, pair } from './certificates.ts';
import { apisvc } from './commands.ts';
import { getObject, kubectlOk } from './projects.ts';
import { certificatesOf } from './rotations.ts';

const decoded = (text: string): string => Buffer.from(text, 'base64').toString();

/**
 * Starts cert-manager 1.21.2, and makes a project whose certificate it issues, and whose caBundle
 * its cainjector writes. Both run as components/cert-manager. Does not register the project.
 */
export async function makeIssuedProject(name: string) {
  const secret = `${name}-tls`;
  const ca = `${name}-ca`;
  await installCertManagerCrds();
  /** A test that stops one starts it again. */
  const parts = { controller: startCertManager('controller'), injector: startCertManager('cainjector') };

  /** Waits for work of cert-manager, or for its end. */
  const during = <T>(work: PromiseLike<T>): Promise<T> => parts.controller.during(parts.injector.during(work));

  const project = await during(makeAnyApiProject({ name, replicas: 2, init: ['--issuer', 'cert-manager'] }));
  const { dir, apiService } = project;

  const run = (...args: readonly string[]) => during(apisvc([...args, '-C', dir]));

  /** Runs `apisvc rotate`, which must succeed. @returns its report */
  async function rotated(...flags: readonly string[]) {
    const { exitCode, stdout, stderr } = await run('rotate', '--timeout', '80s', '-o', 'json', ...flags);
    expect({ exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ exitCode: 0, stderr: '' });
    return JSON.parse(stdout);
  }

  // biome-ignore lint/suspicious/noExplicitAny: an object as kubectl prints it.
  const get = async (kind: string, of: string): Promise<any> => getObject(kind, of, '-n', name);

  /** The certificate and the CA of the Secret, and the caBundle. */
  async function places() {
    const { data } = await get('secret', secret);
    const { spec } = await get('apiservice', apiService);
    const [leaf] = certificatesOf(decoded(data['tls.crt']));
    return { leaf, ca: decoded(data['ca.crt']), bundle: decoded(spec.caBundle) };
  }

  /** Waits until every endpoint serves the certificate of the Secret, and a valid one. */
  async function expectSame(): Promise<void> {
    // The kubelet takes a while to update the files, and the server to read them.
    const verdict = async () => JSON.parse((await run('status', '-o', 'json')).stdout).verdict;
    await during(expect.poll(verdict, { timeout: 150_000 }).toBe('same'));
  }

  const annotate = (...annotations: readonly string[]) => kubectlOk(['annotate', '--overwrite', 'apiservice', apiService, ...annotations]);

  const patch = (kind: string, of: string, spec: object) =>
    kubectlOk(['patch', kind, of, '-n', name, '--type=merge', '-p', JSON.stringify({ spec })]);

  const patchCertificate = (spec: object) => patch('certificate', secret, spec);

  /** Makes the Issuer sign with the CA of another Secret, and waits until it has read it. */
  async function signWith(secretName: string): Promise<void> {
    await patch('issuer', ca, { ca: { secretName } });
    const isSeen = async () => {
      const { metadata, status } = await get('issuer', ca);
      return status.conditions[0].observedGeneration === metadata.generation;
    };
    await during(expect.poll(isSeen, { timeout: 60_000 }).toBe(true));
  }

  /** Makes the Issuer sign with a key that does not belong to the certificate of its CA. */
  async function signWithWrongKey(): Promise<void> {
    const { data } = await get('secret', ca);
    const other = Buffer.from(pair(await makeCa('another CA')).key).toString('base64');
    await kubectlOk(['create', '-f', '-'], {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'wrong-key', namespace: name },
      data: { 'tls.crt': data['tls.crt'], 'tls.key': other },
    });
    await signWith('wrong-key');
  }

  /**
   * Starts a pod of the Service that keeps the certificate of now, however fast the kubelet brings
   * a new one to the others. @returns its name
   */
  async function startPodWithOldCertificate(): Promise<string> {
    const [pod, copy] = [`${name}-old`, `${secret}-old`];
    const { data } = await get('secret', secret);
    const { selector } = (await get('service', name)).spec;
    const { items } = JSON.parse(await kubectlOk(['get', 'pods', '-n', name, '-o', 'json']));
    const { nodeName: _, ...spec } = items[0].spec;
    // Only the labels of the Service, so that no ReplicaSet adopts the pod.
    const metadata = { name: pod, namespace: name, labels: selector };
    const mounting = JSON.parse(JSON.stringify(spec).replaceAll(`"secretName":"${secret}"`, `"secretName":"${copy}"`));
    await kubectlOk(['create', '-f', '-'], { apiVersion: 'v1', kind: 'Secret', metadata: { name: copy, namespace: name }, data });
    await kubectlOk(['create', '-f', '-'], { apiVersion: 'v1', kind: 'Pod', metadata, spec: mounting });
    await during(kubectlOk(['wait', '--for=condition=Ready', '--timeout=85s', '-n', name, `pod/${pod}`]));
    return pod;
  }

  async function remove(): Promise<void> {
    await removeAnyApiProject(project, name);
    await Promise.all([parts.controller.stop(), parts.injector.stop()]);
  }

  return {
    ...{ dir, apiService, parts, during, run, rotated, get, places, expectSame },
    ...{ annotate, patchCertificate, signWith, signWithWrongKey, startPodWithOldCertificate, remove },
  };
}

export type IssuedProject = Awaited<ReturnType<typeof makeIssuedProject>>;
