import type { IncomingMessage } from 'node:http';
import { ApiFailure, badRequest } from '../shared/failure.ts';
import { apiVersionOf } from './kinds.ts';
import { tableOf } from './table.ts';
import type { Call, Kind, Obj } from './types.ts';

/** In which form objects are to be answered. */
export interface Representation {
  one(object: Obj): Obj;
  list(objects: readonly Obj[], resourceVersion: number): Obj;
  /** One after another for one watch: the columns of a table are told once. */
  event(object: Obj): Obj;
}

const metaVersion = { apiVersion: 'meta.k8s.io/v1' };

const metadataOnly = ({ metadata }: Obj): Obj => ({ kind: 'PartialObjectMetadata', ...metaVersion, metadata });

/**
 * The form that a request accepts: objects as they are, their metadata alone, or a table.
 * @throws ApiFailure 406 when none of what it accepts is served here; 400 for a table with an
 * unknown includeObject
 */
export function representationFor(call: Call, kind: Kind, now: () => Date): Representation {
  const form = accepted(call.request, (parameters) => isForm(parameters.as));
  if (form.as === 'Table') return table(call, kind, now);
  if (form.as) {
    return {
      one: metadataOnly,
      event: metadataOnly,
      list: (objects, resourceVersion) => ({
        kind: 'PartialObjectMetadataList',
        ...metaVersion,
        metadata: { resourceVersion: String(resourceVersion) },
        // In Go a list that nothing was appended to is written as null.
        items: objects.length > 0 ? objects.map(metadataOnly) : null,
      }),
    };
  }
  const whole = (object: Obj): Obj => object;
  return {
    one: whole,
    event: whole,
    list: (objects, resourceVersion) => ({
      kind: `${kind.kind}List`,
      apiVersion: apiVersionOf(kind),
      metadata: { resourceVersion: String(resourceVersion) },
      items: objects.map(({ apiVersion: _, kind: __, ...object }) => object),
    }),
  };
}

function table({ url }: Call, kind: Kind, now: () => Date): Representation {
  const include = url.searchParams.get('includeObject') || 'Metadata';
  const forms: Readonly<Record<string, (object: Obj) => Obj>> = { None: () => null, Metadata: metadataOnly, Object: (object) => object };
  const shown = forms[include];
  if (!shown) {
    const why = `includeObject: Invalid value: "${include}": must be 'Metadata', 'Object', 'None', or empty`;
    throw badRequest(`Unable to convert to Table as requested: ${why}`);
  }
  const of = (objects: readonly Obj[], resourceVersion: string): Obj => ({
    kind: 'Table',
    ...metaVersion,
    metadata: { resourceVersion },
    ...tableOf(kind, objects, shown, now()),
  });
  let told = false;
  return {
    one: (object) => of([object], object.metadata.resourceVersion),
    list: (objects, resourceVersion) => of(objects, String(resourceVersion)),
    event(object) {
      const whole = of([object], object.metadata.resourceVersion);
      const again = told;
      told = true;
      return again ? { ...whole, columnDefinitions: null } : whole;
    },
  };
}

const isForm = (as: string | undefined): boolean =>
  as === undefined || ['Table', 'PartialObjectMetadata', 'PartialObjectMetadataList'].includes(as);

type Parameters = Readonly<Record<string, string>>;

/**
 * Chooses among the media types of the Accept header, best first (RFC 9110, section 12.5.1).
 * @param serves - whether JSON with these parameters can be served
 * @throws ApiFailure 406 when none is JSON that can be served
 */
export function accepted({ headers }: IncomingMessage, serves: (parameters: Parameters) => boolean): Parameters {
  if (!headers.accept) return {};
  const clauses = headers.accept.split(',').map((clause) => {
    const [type = '', ...rest] = clause.split(';').map((part) => part.trim());
    const parameters: Parameters = Object.fromEntries(rest.map((part) => part.split('=')));
    return { type, parameters, quality: Number(parameters.q ?? 1) };
  });
  const json = clauses
    .sort((one, other) => other.quality - one.quality)
    .filter(({ type }) => ['application/json', 'application/*', '*/*'].includes(type));
  const found = json.find(({ parameters }) => serves(parameters));
  if (found) return found.parameters;
  throw new ApiFailure(406, 'NotAcceptable', 'only the following media types are accepted: application/json');
}
