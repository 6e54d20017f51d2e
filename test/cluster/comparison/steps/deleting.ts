import { refusals } from '../client.ts';
import type { Step } from '../step.ts';
import { aboutConfigMap, configMap } from './config-maps.ts';

/** Objects deleted: at once, and after a finalizer. */

export const deleting: readonly Step[] = [
  aboutConfigMap('delete', async ({ admin: { ask }, create, name }, path) => {
    const [made] = await create(configMap(name, { a: '1' }));
    const { uid, resourceVersion } = made.metadata;
    const preconditions = { kind: 'DeleteOptions', apiVersion: 'v1', preconditions: { uid, resourceVersion } };
    return {
      dry: await ask('DELETE', `${path}?dryRun=All`),
      still: (await ask('GET', path)).status,
      ...refusals({
        otherUid: await ask('DELETE', path, { body: { preconditions: { uid: 'another' } } }),
        otherVersion: await ask('DELETE', path, { body: { preconditions: { resourceVersion: '1' } } }),
        badBody: await ask('DELETE', path, { body: '{' }),
      }),
      dryInBody: await ask('DELETE', path, { body: { ...preconditions, dryRun: ['All'] } }),
      stillThere: (await ask('GET', path)).status,
      // The body replaces the query.
      deleted: await ask('DELETE', `${path}?dryRun=All`, { body: preconditions }),
      again: await ask('DELETE', path),
    };
  }),
  aboutConfigMap('delete-with-finalizer', async ({ admin: { ask }, create, name }, path) => {
    await create(configMap(name, { a: '1' }, { finalizers: ['example.com/mine'] }));
    const contentType = 'application/merge-patch+json';
    return {
      deleted: await ask('DELETE', path),
      still: await ask('GET', path),
      released: await ask('PATCH', path, { body: { metadata: { finalizers: null } }, contentType }),
      gone: await ask('GET', path),
    };
  }),
];
