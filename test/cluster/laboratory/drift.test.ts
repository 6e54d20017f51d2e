import { readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'vitest';
import { journalAnnotation, rotationLease } from '../../../src/cluster/rotation-lease.ts';
import { projectFiles } from '../../../src/project/project.ts';
import { makeLeaf, pair, pem } from '../harness/certificates.ts';
import { apisvc } from '../harness/commands.ts';
import { emptyFolder, kubectlOk, servingPairOf } from '../harness/projects.ts';
import { groupOf, passed } from '../harness/registrations.ts';
import { caBundle, describeFaults, type HandMadeFault } from './hand-made.ts';

/** A cluster whose certificates are not those of the project. */

const namespace = 'drift';

/** @returns a directory for a project, and a function that creates the project in it */
function projectFor(name: string) {
  const dir = emptyFolder();
  const create = async (): Promise<void> => {
    const identity = ['--api', `${groupOf(name)}/v1`, '--name', name, '--namespace', namespace, '--service', name];
    const created = await apisvc(['init', dir, '--preset', 'custom', '--image', 'none', ...identity, '--yes']);
    expect(created).toMatchObject({ exitCode: 0, stderr: '' });
  };
  return { dir, create, options: { cwd: dir } };
}

const other = projectFor('other-project-ca');
const renewed = projectFor('other-project-leaf');
const rotated = projectFor('rotation-interrupted');
const same = projectFor('same-as-project');
const shared = projectFor('other-bundle-manager');

let newCertificate = '';

/** The Lease of a rotation that nobody renews. */
async function createLease(service: string): Promise<void> {
  const journal = {
    kind: 'ca',
    direction: 'forward',
    step: 'soak',
    number: 6,
    steps: 9,
    title: 'Watching all endpoints',
    holder: 'alice@laptop',
  };
  const annotations = { [journalAnnotation]: JSON.stringify({ ...journal, started: '2026-11-28T10:00:00Z', newCertificate }) };
  const { resource, name } = rotationLease({ namespace, name: service });
  await kubectlOk(['apply', '-f', '-'], {
    apiVersion: resource.apiVersion,
    kind: resource.kind,
    metadata: { namespace, name, annotations },
    spec: { holderIdentity: '', leaseDurationSeconds: 15 },
  });
}

/** Applies the caBundle with its value, as a GitOps tool does that has it in Git. */
async function applyBundle(apiService: string): Promise<void> {
  const { apiVersion, kind, spec } = JSON.parse(await kubectlOk(['get', 'apiservice', apiService, '-o', 'json']));
  await kubectlOk(['apply', '--server-side', '--field-manager=argocd-controller', '-f', '-'], {
    apiVersion,
    kind,
    metadata: { name: apiService },
    spec,
  });
}

const faults: readonly HandMadeFault[] = [
  {
    name: 'other-project-ca',
    how: 'the caBundle and the serving certificate have a different CA than the project',
    codes: ['bundle/not-project-ca'],
    condition: passed,
    make: async (name, bench) => {
      await other.create();
      return { port: await bench.serve(name) };
    },
    options: other.options,
  },
  {
    name: 'other-project-leaf',
    how: 'the serving certificate is not that of the project, but has the same CA',
    codes: ['cert/not-project-certificate'],
    condition: passed,
    make: async (name, bench) => {
      await renewed.create();
      const files = projectFiles(renewed.dir);
      writeFileSync(files.caCertificate, pem(bench.ca));
      writeFileSync(files.certificate, pem(await makeLeaf(bench.hostOf(name), bench.ca)));
      return { port: await bench.serve(name, pair(await makeLeaf(bench.hostOf(name), bench.ca))) };
    },
    options: renewed.options,
  },
  {
    name: 'rotation-interrupted',
    how: 'a rotation of the CA was killed after every endpoint had loaded the new certificate',
    codes: ['cert/rotation-interrupted'],
    condition: passed,
    make: async (name, bench) => {
      await rotated.create();
      const old = readFileSync(projectFiles(rotated.dir).caCertificate, 'utf8');
      const leaf = await makeLeaf(bench.hostOf(name), bench.ca);
      newCertificate = leaf.info.fingerprint;
      return { port: await bench.serve(name, pair(leaf)), ...caBundle(old + pem(bench.ca)) };
    },
    beforeVerify: () => createLease('rotation-interrupted'),
    options: rotated.options,
  },
  {
    name: 'other-bundle-manager',
    how: 'a GitOps tool also applied the caBundle, with the same value',
    codes: ['registration/bundle-manager'],
    condition: passed,
    make: async (name, bench) => {
      await shared.create();
      const ca = readFileSync(projectFiles(shared.dir).caCertificate, 'utf8');
      return { port: await bench.serve(name, servingPairOf(shared.dir)), ...caBundle(ca) };
    },
    beforeVerify: applyBundle,
    options: shared.options,
  },
  {
    name: 'same-as-project',
    how: 'nothing: the caBundle and the serving certificate are those of the project',
    codes: [],
    condition: passed,
    make: async (name, bench) => {
      await same.create();
      const ca = readFileSync(projectFiles(same.dir).caCertificate, 'utf8');
      return { port: await bench.serve(name, servingPairOf(same.dir)), ...caBundle(ca) };
    },
    options: same.options,
  },
];

describeFaults(namespace, faults);
