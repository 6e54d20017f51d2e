import type { IncomingMessage } from 'node:http';
import { ApiFailure } from '../shared/failure.ts';
import { apiVersionOf } from './kinds.ts';
import { tableOf } from './table.ts';
import type { Call, Kind, Obj } from './types.ts';

/** The form in which objects are answered. */
export interface Representation {
  one(object: Obj): Obj;
  list(objects: readonly Obj[], resourceVersion: number): Obj;
}

const metaVersion = { apiVersion: 'meta.k8s.io/v1' };

const metadataOnly = ({ metadata }: Obj): Obj => ({ kind: 'PartialObjectMetadata', ...metaVersion, metadata });

/**
 * The form that a request accepts: objects as they are, their metadata alone, or a table.
 * @throws ApiFailure 406 when none of what it accepts is served
 */
export function representationFor(call: Call, kind: Kind, now: () => Date): Representation {
  const form = accepted(
    call.request,
    ({ as }) => as === undefined || ['Table', 'PartialObjectMetadata', 'PartialObjectMetadataList'].includes(as),
  );
  if (form.as === 'Table') return tables(call, kind, now);
  const metadata = (resourceVersion: number): Obj => ({ metadata: { resourceVersion: String(resourceVersion) } });
  if (form.as)
    return {
      one: metadataOnly,
      list: (objects, resourceVersion) => ({
        kind: 'PartialObjectMetadataList',
        ...metaVersion,
        ...metadata(resourceVersion),
        items: objects.map(metadataOnly),
      }),
    };
  return {
    one: (object) => object,
    list: (objects, resourceVersion) => ({
      kind: `${kind.kind}List`,
      apiVersion: apiVersionOf(kind),
      ...metadata(resourceVersion),
      items: objects.map(({ apiVersion: _, kind: __, ...object }) => object),
    }),
  };
}

function tables({ url }: Call, kind: Kind, now: () => Date): Representation {
  const include = url.searchParams.get('includeObject');
  const row = (object: Obj): Obj => (include === 'Object' ? object : include === 'None' ? null : metadataOnly(object));
  const table = (objects: readonly Obj[], resourceVersion: string): Obj => ({
    kind: 'Table',
    ...metaVersion,
    metadata: { resourceVersion },
    ...tableOf(kind, objects, row, now()),
  });
  return {
    one: (object) => table([object], object.metadata.resourceVersion),
    list: (objects, resourceVersion) => table(objects, String(resourceVersion)),
  };
}

type Parameters = Readonly<Record<string, string>>;

/**
 * Chooses the first media type of the Accept header that can be served. Weights are ignored.
 * @param serves - whether JSON with these parameters can be served
 * @throws ApiFailure 406 when none is JSON that can be served
 */
export function accepted({ headers }: IncomingMessage, serves: (parameters: Parameters) => boolean): Parameters {
  if (!headers.accept) return {};
  const clauses = headers.accept.split(',').map((clause) => {
    const [type = '', ...rest] = clause.split(';').map((part) => part.trim());
    const parameters: Parameters = Object.fromEntries(rest.map((part) => part.split('=')));
    return { type, parameters };
  });
  const found = clauses.find(({ type, parameters }) => ['application/json', 'application/*', '*/*'].includes(type) && serves(parameters));
  if (found) return found.parameters;
  throw new ApiFailure(406, 'NotAcceptable', 'only the following media types are accepted: application/json');
}
