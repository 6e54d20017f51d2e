import { expect, test } from 'vitest';
import type { ApiDiagnosis } from '../../../src/verify/types.ts';
import { resourceList } from '../harness/backends.ts';
import { codesOf, verifyJson } from '../harness/projects.ts';
import { groupOf, passed } from '../harness/registrations.ts';
import { expectFindings } from './expect-findings.ts';
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

const faults: readonly HandMadeFault[] = [
  {
    // kube-apiserver leaves it alone until it starts again: deletion at the start is not for others that run beside this.
    name: 'automanaged-label',
    how: 'the label of the APIServices that kube-apiserver manages itself',
    codes: ['registration/automanaged-label'],
    condition: passed,
    make: differing({ apiServiceMetadata: { labels: { 'kube-aggregator.kubernetes.io/automanaged': 'onstart' } } }),
  },
  {
    name: 'two-injectors',
    how: 'annotations for two controllers that fill in the caBundle',
    codes: ['registration/two-injectors'],
    condition: passed,
    make: annotated({ ...certManager, ...openshift }),
  },
  {
    name: 'injector-blocked',
    how: 'an annotation for a controller that fills in the caBundle, and insecureSkipTLSVerify',
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
    // Nobody asks for these, so that the other specs go undisturbed.
    name: 'shadows-group',
    how: 'groupPriorityMinimum 18001 and a resource with a name of the core group',
    codes: ['registration/shadows-group'],
    condition: passed,
    make: async (name, bench) => ({
      port: await bench.serve(name, undefined, { body: resourceList(`${groupOf(name)}/v1`, 'podtemplates') }),
      apiServiceSpec: { groupPriorityMinimum: 18_001 },
    }),
  },
];

describeFaults('registrations', faults);

test('an APIService that is not there: registration/missing', async () => {
  await expectFindings({ name: 'missing', how: 'there is no APIService', codes: ['registration/missing'] }, 'v1.missing.example.com');
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
