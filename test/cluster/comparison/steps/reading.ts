import { refusal } from '../client.ts';
import type { Step } from '../step.ts';
import { collection } from './config-maps.ts';
import { selecting, versionOf } from './selecting.ts';

/** Lists, complete and selected. */

interface List {
  readonly metadata: { readonly continue?: string; readonly remainingItemCount?: number };
  readonly items: readonly { readonly metadata: { readonly name: string } }[];
}

const namesOf = (items: List['items']): string[] => items.map(({ metadata }) => metadata.name);

const wholeLists = 'the simulation ignores limit, which clients must accept';

/** Selectors by name. */
const selectors = {
  equal: 'labelSelector=is%3Da',
  unequal: 'labelSelector=is!%3Da',
  within: 'labelSelector=is%20in%20(a,b),of',
  notWithin: 'labelSelector=is%20notin%20(a)',
  absent: 'labelSelector=!is',
  wrongLabel: 'labelSelector=is%20in%20a',
  wrongValue: 'labelSelector=is%3Da%20b',
  byName: 'fieldSelector=metadata.name%3Dselectors-b',
  byOtherName: 'fieldSelector=metadata.name!%3Dselectors-b',
  byNamespace: 'fieldSelector=metadata.namespace%3Dcomparison',
  wrongField: 'fieldSelector=metadata.name',
};

export const reading: readonly Step[] = [
  selecting('list', async ({ admin: { ask } }, path) => ({
    list: await ask('GET', path),
    none: await ask('GET', `${path}-other`),
    everywhere: await ask('GET', path.replace(/namespaces\/\w+\//, '')),
    missingNamespace: await ask('GET', '/api/v1/namespaces/missing/configmaps'),
    head: await ask('HEAD', path),
  })),
  selecting(
    'list-in-parts',
    async ({ admin: { ask } }, path) => {
      const { body } = await ask('GET', `${path}&limit=2`);
      const { metadata, items } = body as List;
      const rest = metadata.continue ? await ask('GET', `${path}&limit=2&continue=${encodeURIComponent(metadata.continue)}`) : undefined;
      return {
        first: namesOf(items),
        more: metadata.continue !== undefined,
        remaining: metadata.remainingItemCount,
        rest: rest && namesOf((rest.body as List).items),
      };
    },
    [
      {
        reason: wholeLists,
        at: 'first',
        real: ['list-in-parts-a', 'list-in-parts-b'],
        simulated: ['list-in-parts-a', 'list-in-parts-b', 'list-in-parts-c'],
      },
      { reason: wholeLists, at: 'more', real: true, simulated: false },
      { reason: wholeLists, at: 'rest', real: ['list-in-parts-c'], simulated: undefined },
    ],
  ),
  selecting('selectors', async ({ admin: { ask } }) => {
    const answers: Record<string, unknown> = {};
    for (const [name, query] of Object.entries(selectors)) {
      const mine = /^(labelSelector=)/.test(query) ? query.replace('=', '=of%3Dselectors,') : `${query}&labelSelector=of%3Dselectors`;
      const { status, body } = await ask('GET', `${collection}?${mine}`);
      answers[name] = status === 200 ? namesOf((body as List).items) : status;
    }
    return answers;
  }),
  selecting('resource-versions', async ({ admin }, path) => {
    const version = await versionOf(admin, path);
    const ask = (query: string) => admin.ask('GET', `${path}&${query}`);
    return {
      zero: await ask('resourceVersion=0'),
      notOlder: (await ask(`resourceVersion=${version}&resourceVersionMatch=NotOlderThan`)).status,
      exact: (await ask(`resourceVersion=${version}&resourceVersionMatch=Exact`)).status,
      noNumber: refusal(await ask('resourceVersion=x')),
      getZero: (await admin.ask('GET', `${collection}/resource-versions-a?resourceVersion=0`)).status,
    };
  }),
];
