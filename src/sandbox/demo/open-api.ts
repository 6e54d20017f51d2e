import type { Api } from '../../config/schema.ts';

type GroupVersion = Pick<Api, 'group' | 'version'>;

/** GET /openapi/v3: where the documents are, one for each group and version (KEP-2896). */
export const openApiIndex = ({ group, version }: GroupVersion): object => ({
  paths: { [`apis/${group}/${version}`]: { serverRelativeURL: `/openapi/v3/apis/${group}/${version}` } },
});

const text = (description: string): object => ({ type: 'string', description });
const amounts = (...names: string[]): object => ({
  type: 'object',
  properties: Object.fromEntries(names.map((name) => [name, text('A quantity.')])),
});

const properties = {
  apiVersion: text('Version of the API that this object is of.'),
  kind: text('Host.'),
  metadata: { type: 'object', description: 'The name is the host name of the machine.' },
  timestamp: { ...text('When it was measured.'), format: 'date-time' },
  capacity: amounts('cpu', 'memory'),
  usage: amounts('memory'),
  free: amounts('memory'),
  load: { ...amounts('oneMinute', 'fiveMinutes', 'fifteenMinutes'), description: 'How many processes wanted a CPU, on average.' },
  uptime: text('Time since the machine started.'),
};

/** GET /openapi/v3/apis/<group>/<version>: what `kubectl explain hosts` reads. */
export function openApiDocument(api: GroupVersion): object {
  const path = `/apis/${api.group}/${api.version}/hosts`;
  const schema = (kind: string, content: object): object => ({
    type: 'object',
    'x-kubernetes-group-version-kind': [{ ...api, kind }],
    properties: content,
  });
  const list = { apiVersion: properties.apiVersion, kind: text('HostList.'), items: { type: 'array', items: reference('Host') } };
  return {
    openapi: '3.0.0',
    info: { title: 'The machine that the server runs on', version: api.version },
    paths: { [path]: operation(api, 'list', 'HostList'), [`${path}/{name}`]: operation(api, 'get', 'Host') },
    components: {
      schemas: {
        Host: { ...schema('Host', properties), description: 'Host says how busy the machine is that the server runs on.' },
        HostList: schema('HostList', list),
      },
    },
  };
}

const reference = (schema: string): object => ({ $ref: `#/components/schemas/${schema}` });

const operation = (api: GroupVersion, action: string, answer: string): object => ({
  get: {
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': { ...api, kind: 'Host' },
    responses: { 200: { description: 'OK', content: { 'application/json': { schema: reference(answer) } } } },
  },
});
