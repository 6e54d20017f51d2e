import { expect, test, vi } from 'vitest';
import type { ApiDiagnosis } from '../../../src/diagnosis/types.ts';
import { resourceList } from '../harness/backends.ts';
import { kubectl } from '../harness/commands.ts';
import { codesOf, emptyFolder, verifyJson } from '../harness/projects.ts';
import { groupOf, passed } from '../harness/registrations.ts';
import { conditionMs, expectFindings } from './expect-findings.ts';
import { type Change, describeFaults, type HandMadeFault } from './hand-made.ts';

/** What an APIService says that kube-apiserver accepts, and should not. */

/** A sound server, and an APIService that differs from a sound one. */
const differing =
  (change: Partial<Change>): HandMadeFault['make'] =>
  async (name, bench) => ({ port: await bench.serve(name), ...change });
const annotated = (annotations: object, apiServiceSpec: object = {}) => differing({ apiServiceMetadata: { annotations }, apiServiceSpec });

const certManager = { 'cert-manager.io/inject-ca-from': 'registrations/api' };
const openshift = { 'service.beta.openshift.io/inject-cabundle': 'true' };
const insecure = { caBundle: undefined, insecureSkipTLSVerify: true };

/** kubectl, given the name of a resource alone, asks for it at this path. What the server makes of that does not matter. */
async function expectAsked(resource: string, path: string): Promise<void> {
  const asked = async () => expect((await kubectl(['get', resource, '-v=6', `--cache-dir=${emptyFolder()}`])).stderr).toContain(path);
  // kube-apiserver lists it among all groups a moment after it is available.
  await vi.waitFor(asked, { timeout: conditionMs, interval: 1000 });
}

const faults: readonly HandMadeFault[] = [
  {
    // kube-apiserver leaves it alone until it starts again: deletion at the start is not for others that run beside this.
    name: 'automanaged-label',
    how: 'the label of APIServices that kube-apiserver manages itself',
    codes: ['registration/automanaged-label'],
    condition: passed,
    make: differing({ apiServiceMetadata: { labels: { 'kube-aggregator.kubernetes.io/automanaged': 'onstart' } } }),
  },
  {
    name: 'two-injectors',
    how: 'annotations for two controllers that inject the caBundle',
    codes: ['registration/two-injectors'],
    condition: passed,
    make: annotated({ ...certManager, ...openshift }),
  },
  {
    name: 'injector-blocked',
    how: 'an annotation that requests injection of the caBundle, and insecureSkipTLSVerify',
    codes: ['registration/injector-blocked'],
    condition: passed,
    make: annotated(certManager, insecure),
  },
  {
    name: 'priority-too-high',
    how: 'groupPriorityMinimum 5000',
    codes: ['registration/priority-too-high'],
    condition: passed,
    make: differing({ apiServiceSpec: { groupPriorityMinimum: 5000 } }),
  },
  {
    // Nobody asks for these by their name alone, so that the other specs go undisturbed.
    name: 'shadows-group',
    how: 'groupPriorityMinimum 17900, and a resource of the same name as one in the group apps',
    codes: ['registration/shadows-group'],
    condition: passed,
    make: async (name, bench) => ({
      port: await bench.serve(name, undefined, { body: resourceList(`${groupOf(name)}/v1`, 'controllerrevisions') }),
      apiServiceSpec: { groupPriorityMinimum: 17_900 },
    }),
    beforeLooking: () => expectAsked('controllerrevisions', `/apis/${groupOf('shadows-group')}/v1/namespaces/default/controllerrevisions`),
  },
];

describeFaults('registrations', faults);

test('an APIService that is not there: registration/missing', async () => {
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

test('several at once are reported one by one, and the worst decides', async () => {
  const { exitCode, diagnosis } = await verifyJson(['v1.apps', 'v1.missing.example.com', 'v1.']);
  expect(diagnosis.apis.map(({ name, verdict }: ApiDiagnosis) => [name, verdict])).toEqual([
    ['v1.apps', 'healthy'],
    ['v1.missing.example.com', 'broken'],
    ['v1.', 'healthy'],
  ]);
  expect({ exitCode, codes: codesOf(diagnosis) }).toEqual({ exitCode: 1, codes: ['registration/missing'] });
});
