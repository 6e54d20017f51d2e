import { apiServiceNameOf } from '../../harness/registrations.ts';
import { type Answer, type Client, inShort } from '../client.ts';
import type { Step } from '../step.ts';
import { collection } from './config-maps.ts';
import { selecting } from './selecting.ts';

/** The forms in which objects are sent: whole, as the row of a table, as metadata alone. */

const table = 'application/json;as=Table;v=v1;g=meta.k8s.io';
const partial = 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io';
const partialList = 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io';

const jsonAlone = 'the simulation answers in JSON alone';
const onlyJson = 'only the following media types are accepted: application/json';
const representations = [
  '406: Not Acceptable\n\nAvailable representations: application/json',
  'application/yaml',
  'application/vnd.kubernetes.protobuf',
  'application/json;stream=watch',
  'application/vnd.kubernetes.protobuf;stream=watch',
].join(', ');

/**
 * Without the words for people that a table has for each column: a step of their own looks at
 * these.
 */
// biome-ignore lint/suspicious/noExplicitAny: JSON.
function undescribed(value: any): any {
  if (Array.isArray(value)) return value.map(undescribed);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).map(([key, item]) => [key, key === 'columnDefinitions' ? columnsOf(item) : undescribed(item)]);
  return Object.fromEntries(entries);
}

const columnsOf = (columns: unknown) => (Array.isArray(columns) ? columns.map(({ description: _, ...column }) => column) : columns);

/** The answers for several forms of one thing. */
const accepting = async ({ ask }: Client, path: string, forms: Readonly<Record<string, string>>): Promise<object> => {
  const answers = Object.entries(forms).map(
    async ([name, accept]) => [name, undescribed(await ask('GET', path, { headers: { accept } }))] as const,
  );
  return Object.fromEntries(await Promise.all(answers));
};

export const forms: readonly Step[] = [
  selecting(
    'forms',
    async ({ admin }, path) => ({
      list: await accepting(admin, path, {
        table,
        partialList,
        several: `${table},application/json`,
        unknown: 'application/json;as=Sheet;v=v1;g=meta.k8s.io',
      }),
      object: await accepting(admin, `${collection}/forms-a`, { table, partial }),
      wide: undescribed(await admin.ask('GET', `${path}&includeObject=Object`, { headers: { accept: table } })),
      none: undescribed(await admin.ask('GET', `${path}&includeObject=None`, { headers: { accept: table } })),
    }),
    [
      {
        reason: jsonAlone,
        at: 'list.unknown.body.message',
        real: `${onlyJson}, application/yaml, application/vnd.kubernetes.protobuf`,
        simulated: onlyJson,
      },
    ],
  ),
  selecting(
    'unacceptable',
    async ({ admin }, path) => {
      const kinds = { text: 'text/plain', html: 'text/html,application/xhtml+xml', any: '*/*', some: 'text/plain;q=0.9,*/*;q=0.1' };
      const { text, html, ...others } = (await accepting(admin, path, kinds)) as Record<string, Answer>;
      return { text: text && inShort(text), html: html && inShort(html), ...others };
    },
    ['text', 'html'].map((each) => ({ reason: jsonAlone, at: `${each}.message`, real: representations, simulated: onlyJson })),
  ),
  {
    name: 'table-of-apiservices',
    run: async (world) => {
      const { admin, register, serve, settled, name } = world;
      await register({ port: await serve(), apiServiceMetadata: { labels: { of: name } } });
      await settled();
      const path = '/apis/apiregistration.k8s.io/v1/apiservices';
      return {
        list: await accepting(admin, `${path}?labelSelector=of%3D${name}`, { table, partialList }),
        object: await accepting(admin, `${path}/${apiServiceNameOf(name)}`, { table, partial }),
      };
    },
  },
  {
    name: 'table-descriptions',
    run: async ({ admin }) => {
      const { body } = await admin.ask('GET', `${collection}?limit=1`, { headers: { accept: table } });
      const { columnDefinitions } = body as { columnDefinitions: { description: string }[] };
      return columnDefinitions.map(({ description }) => description.split('.')[0]);
    },
    differs: [
      'Name must be unique within a namespace',
      'Data contains the configuration data',
      'CreationTimestamp is a timestamp representing the server time when this object was created',
    ].map((real, index) => ({ reason: 'the simulation has no descriptions of fields', at: String(index), real, simulated: '' })),
  },
  selecting('watch-forms', async ({ admin }, path) => {
    const read = async (accept: string) => {
      const { body, status, headers } = await admin.ask('GET', `${path}&watch=true&timeoutSeconds=1`, { headers: { accept } });
      return {
        status,
        headers,
        events:
          typeof body === 'string'
            ? body
                .trim()
                .split('\n')
                .map((line) => undescribed(JSON.parse(line)))
            : body,
      };
    };
    return { table: await read(table), partial: await read(partial) };
  }),
];
