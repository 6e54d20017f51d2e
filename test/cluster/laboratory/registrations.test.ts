import { expect, test, vi } from 'vitest';
import type { ApiDiagnosis } from '../../../src/diagnosis/types.ts';
import { resourceList } from '../harness/backends.ts';
import { kubectl } from '../harness/commands.ts';
import { codesOf, emptyFolder, verifyJson } from '../harness/projects.ts';
import { groupOf, passed } from '../harness/registrations.ts';
import { conditionMs, expectFindings } from './expect-findings.ts';
import { type Change, describeFaults, type HandMadeFault, withOpenApi } from './hand-made.ts';

/** Faults of an APIService that kube-apiserver accepts. */

/** A valid server, and an APIService with a change. */
const differing =
  (change: Partial<Change>): HandMadeFault['make'] =>
  async (name, bench) => ({ port: await bench.serve(name), ...change });
const annotated = (annotations: object, apiServiceSpec: object = {}) => differing({ apiServiceMetadata: { annotations }, apiServiceSpec });

const certManager = { 'cert-manager.io/inject-ca-from': 'registrations/api' };
const openshift = { 'service.beta.openshift.io/inject-cabundle': 'true' };
const insecure = { caBundle: undefined, insecureSkipTLSVerify: true };

/**
 * Expects that kubectl requests a resource without a group at this path. The response does not
 * matter.
 */
async function expectRequested(resource: string, path: string): Promise<void> {
  const asked = async () => expect((await kubectl(['get', resource, '-v=6', `--cache-dir=${emptyFolder()}`])).stderr).toContain(path);
  // kube-apiserver lists the group a moment after the API is available.
  await vi.waitFor(asked, { timeout: conditionMs, interval: 1000 });
}

const faults: readonly HandMadeFault[] = [
  {
    // kube-apiserver keeps it until a restart. Deletion at the start would disturb other specs.
    name: 'automanaged-label',
    how: 'the APIService has the label of APIServices that kube-apiserver itself manages',
    codes: ['registration/automanaged-label'],
    condition: passed,
    make: differing({ apiServiceMetadata: { labels: { 'kube-aggregator.kubernetes.io/automanaged': 'onstart' } } }),
  },
  {
    name: 'two-injectors',
    how: 'the APIService has annotations for two controllers that inject the caBundle',
    codes: ['registration/two-injectors'],
    condition: passed,
    make: annotated({ ...certManager, ...openshift }),
  },
  {
    name: 'injector-blocked',
    how: 'the APIService has insecureSkipTLSVerify, and an annotation that requests the injection of a caBundle',
    codes: ['registration/injector-blocked'],
    condition: passed,
    make: annotated(certManager, insecure),
  },
  {
    name: 'priority-too-high',
    how: 'groupPriorityMinimum is 5000',
    codes: ['registration/priority-too-high'],
    condition: passed,
    make: differing({ apiServiceSpec: { groupPriorityMinimum: 5000 } }),
  },
  {
    // No other spec requests these resources without a group.
    name: 'shadows-group',
    how: 'groupPriorityMinimum is 17900, and the API has a resource with the same name as a resource of the group apps',
    codes: ['registration/shadows-group'],
    condition: passed,
    make: async (name, bench) => ({
      port: await bench.serve(name, undefined, { body: withOpenApi(name, resourceList(`${groupOf(name)}/v1`, 'controllerrevisions')) }),
      apiServiceSpec: { groupPriorityMinimum: 17_900 },
    }),
    beforeVerify: () =>
      expectRequested('controllerrevisions', `/apis/${groupOf('shadows-group')}/v1/namespaces/default/controllerrevisions`),
  },
];

describeFaults('registrations', faults);

test('an APIService that does not exist: registration/missing', async () => {
  await expectFindings(
    { name: 'missing', how: 'the APIService does not exist', codes: ['registration/missing'] },
    'v1.missing.example.com',
  );
});

test.each(['v1.apps', 'v1.'])('an APIService that kube-apiserver serves itself is healthy: %s', async (name) => {
  const { exitCode, diagnosis } = await verifyJson([name]);
  expect({ exitCode, diagnosis }).toMatchObject({
    exitCode: 0,
    diagnosis: { verdict: 'healthy', apis: [{ findings: [], notChecked: [] }] },
  });
  expect(diagnosis.apis[0]?.facts[0]).toBe('Local: served by kube-apiserver itself');
});

test('several APIServices at once: the worst verdict counts', async () => {
  const { exitCode, diagnosis } = await verifyJson(['v1.apps', 'v1.missing.example.com', 'v1.']);
  expect(diagnosis.apis.map(({ name, verdict }: ApiDiagnosis) => [name, verdict])).toEqual([
    ['v1.apps', 'healthy'],
    ['v1.missing.example.com', 'broken'],
    ['v1.', 'healthy'],
  ]);
  expect({ exitCode, codes: codesOf(diagnosis) }).toEqual({ exitCode: 1, codes: ['registration/missing'] });
});
