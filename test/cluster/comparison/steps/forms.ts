import { apiServiceNameOf } from '../../harness/registrations.ts';
import type { Client } from '../client.ts';
import type { Step } from '../step.ts';
import { collection } from './config-maps.ts';
import { selecting } from './selecting.ts';

/** Objects as rows of a table, and their metadata alone. */

const table = 'application/json;as=Table;v=v1;g=meta.k8s.io';
const partial = 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io';
const partialList = 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io';

/** Without the descriptions of columns, which the simulation does not have. */
// biome-ignore lint/suspicious/noExplicitAny: JSON.
function undescribed(value: any): any {
  if (Array.isArray(value)) return value.map(undescribed);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).map(([key, item]) => [key, key === 'columnDefinitions' ? columnsOf(item) : undescribed(item)]);
  return Object.fromEntries(entries);
}

const columnsOf = (columns: unknown) => (Array.isArray(columns) ? columns.map(({ description: _, ...column }) => column) : columns);

/** The answers for several Accept headers. */
const accepting = async ({ ask }: Client, path: string, forms: Readonly<Record<string, string>>): Promise<object> => {
  const answers = Object.entries(forms).map(
    async ([name, accept]) => [name, undescribed(await ask('GET', path, { headers: { accept } }))] as const,
  );
  return Object.fromEntries(await Promise.all(answers));
};

export const forms: readonly Step[] = [
  selecting('metadata', async ({ admin }, path) => ({
    list: await accepting(admin, path, { partialList, any: '*/*', several: `${partialList},application/json` }),
    object: await accepting(admin, `${collection}/metadata-a`, { partial }),
  })),
  {
    name: 'table-of-apiservices',
    run: async (world) => {
      const { admin, register, serve, settled, name } = world;
      await register({ port: await serve(), apiServiceMetadata: { labels: { of: name } } });
      await settled();
      const path = '/apis/apiregistration.k8s.io/v1/apiservices';
      return {
        list: await accepting(admin, `${path}?labelSelector=of%3D${name}`, { table, partialList }),
        whole: await accepting(admin, `${path}?labelSelector=of%3D${name}&includeObject=Object`, { table }),
        object: await accepting(admin, `${path}/${apiServiceNameOf(name)}`, { table, partial }),
      };
    },
  },
  selecting('watch-metadata', async ({ admin }, path) => {
    const { body, status, headers } = await admin.ask('GET', `${path}&watch=true&timeoutSeconds=1`, { headers: { accept: partial } });
    const events =
      typeof body === 'string'
        ? body
            .trim()
            .split('\n')
            .map((line) => JSON.parse(line))
        : body;
    return { status, headers, events };
  }),
];
