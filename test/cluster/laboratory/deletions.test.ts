import { onTestFinished } from 'vitest';
import { kubectl } from '../harness/commands.ts';
import { kubectlOk } from '../harness/projects.ts';
import { passed } from '../harness/registrations.ts';
import { describeFaults } from './hand-made.ts';

/** Objects that are being deleted. Finalizers keep them until the end of the spec. */

const namespace = 'deletions';

/** Deletes an object that then waits for its finalizer. */
async function startDeletion(...object: readonly string[]): Promise<void> {
  const finalizers = (names: readonly string[] | null) => JSON.stringify({ metadata: { finalizers: names } });
  await kubectlOk(['patch', ...object, '--type=merge', '-p', finalizers(['example.com/hold'])]);
  onTestFinished(async () => {
    await kubectl(['patch', ...object, '--type=merge', '-p', finalizers(null)]);
  });
  await kubectlOk(['delete', ...object, '--wait=false']);
}

describeFaults(namespace, [
  {
    name: 'leaving-service',
    how: 'the Service is being deleted, but has a finalizer',
    codes: ['service/deleting'],
    condition: passed,
    make: async (name, bench) => ({ port: await bench.serve(name) }),
    beforeVerify: () => startDeletion('service', 'leaving-service', '-n', namespace),
  },
  {
    name: 'leaving-registration',
    how: 'the APIService is being deleted, but has a finalizer',
    codes: ['registration/deleting'],
    condition: passed,
    make: async (name, bench) => ({ port: await bench.serve(name) }),
    beforeVerify: (apiService) => startDeletion('apiservice', apiService),
  },
]);

describeFaults('leaving', [
  {
    name: 'leaving-namespace',
    how: 'the namespace is being deleted, and its EndpointSlice was already deleted',
    codes: ['service/namespace-terminating'],
    condition: passed,
    make: async (name, bench) => ({ port: await bench.serve(name) }),
    // No namespace controller runs. It would delete the EndpointSlice.
    beforeVerify: async () => {
      await kubectlOk(['delete', 'namespace', 'leaving', '--wait=false']);
      await kubectlOk(['delete', 'endpointslice', 'leaving-namespace', '-n', 'leaving']);
    },
    options: { withinMs: 60_000 },
  },
]);
