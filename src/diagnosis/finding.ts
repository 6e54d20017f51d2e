import { groupVersionOf, serverNameOf } from '../config/registration.ts';
import { responsibilities } from '../config/responsibilities.ts';
import { fileText } from '../snapshot/offline/read.ts';
import type { ApiServiceView, Source } from '../snapshot/types.ts';
import { type Code, entryOf, fill, linkOf } from './catalog.ts';
import { type FixTarget, fillFix } from './fix.ts';
import { fieldOf } from './locations.ts';
import { truncate } from './truncate.ts';
import type { DiagnoseOptions, Finding, Location, Observation } from './types.ts';

/** What the texts of findings depend on. */
export interface FindingContext extends FixTarget {
  readonly source: Source;
  readonly place: Required<DiagnoseOptions>['place'];
}

/** Adds the texts of the catalog to observations. */
export function toFindings(
  name: string,
  api: ApiServiceView | undefined,
  observations: readonly Observation[],
  context: FindingContext,
): Finding[] {
  const named = groupVersionOf(name);
  const service = api?.service;
  const base = {
    name,
    version: api?.version ?? named.version,
    group: api?.group ?? named.group,
    service: service?.name ?? '',
    namespace: service?.namespace ?? '',
    port: String(service?.port ?? ''),
    host: service ? hostOf(service) : '',
  };
  return observations.map((observed) => {
    const place = context.place(fieldOf(observed, name)) ?? context.place({ kind: 'APIService', name, path: [] });
    return toFinding(observed, base, place ? [place] : [], context);
  });
}

/** The finding about a file whose objects are not checked. */
export const toFileFinding = (observed: Observation, places: readonly Location[], context: FindingContext): Finding =>
  toFinding(observed, { name: '', version: '', group: '', service: '', namespace: '', port: '', host: '' }, places, context);

/** Files may lack the name or the namespace of the Service. */
const hostOf = (service: NonNullable<ApiServiceView['service']>): string =>
  service.namespace === '' || service.name === '' ? '<service>.<namespace>.svc' : serverNameOf(service);

function toFinding(
  { code, severity, evidence, args, isOutdated }: Observation,
  base: Readonly<Record<string, string>>,
  locations: readonly Location[],
  context: FindingContext,
): Finding {
  const { title, outdated, ...usual } = entryOf(code);
  const { cause, fix } = (isOutdated && outdated) || { cause: usual.cause, fix: fixOf(code, context) };
  const [first] = locations;
  const place = { file: fileText(first?.file ?? ''), line: String(first?.line ?? '') };
  const values = Object.fromEntries(Object.entries({ ...base, ...place, ...args }).map(([key, value]) => [key, truncate(value)]));
  return {
    code,
    severity: severity ?? usual.severity,
    title: fill(title, values),
    evidence: evidence.map(truncate),
    cause: fill(cause, values),
    fix: fillFix(fix, values, context),
    link: linkOf(code),
    ...(first ? { locations: [...locations] } : {}),
    explains: [],
  };
}

/** For files, the fix names the file, or renews the certificates of the project. */
function fixOf(code: Code, { source, project }: FindingContext): string {
  const { fix, fileFix = fix, projectFix = fileFix } = entryOf(code);
  if (source.kind !== 'files') return fix;
  return project && responsibilities[project.issuer].inProject ? projectFix : fileFix;
}
