import type { ClusterResult, Diagnosis, DiagnosisList } from '../diagnosis/types.ts';
import type { Section } from './sections.ts';

/** Why several clusters make the command fail. Undefined if they do not. */
export function listFailure({ clusters }: DiagnosisList): string | undefined {
  const failed = clusters.filter(({ diagnosis }) => diagnosis === undefined || diagnosis.failure !== undefined);
  if (failed.length === 0) return undefined;
  return `${failed.length === 1 ? 'context' : 'contexts'} ${failed.map(({ context }) => context).join(', ')}`;
}

/**
 * Several clusters as one diagnosis, for formats with a section for each API. The names start with
 * the context. A context that could not be checked is a section of its own.
 * @param at the time of the report, where no context could be checked
 */
export function mergedDiagnosis(list: DiagnosisList, at: string): Diagnosis {
  const { clusters, verdict } = list;
  const diagnoses = clusters.flatMap(({ diagnosis }) => diagnosis ?? []);
  const [latest = at] = diagnoses
    .map(({ takenAt }) => takenAt)
    .toSorted()
    .toReversed();
  const servers = diagnoses.flatMap(({ source }) => (source.kind === 'cluster' ? [source.server] : []));
  const failure = listFailure(list);
  return {
    apiVersion: 'apisvc.dev/diagnosis/v1alpha1',
    takenAt: latest,
    source: { kind: 'cluster', server: [...new Set(servers)].join(', '), context: clusters.map(({ context }) => context).join(', ') },
    verdict,
    ...(failure === undefined ? {} : { failure }),
    apis: clusters.flatMap(sectionsOfCluster),
  };
}

function sectionsOfCluster({ context, diagnosis, error = '' }: ClusterResult): readonly Section[] {
  if (diagnosis) return diagnosis.apis.map((api) => ({ ...api, name: `${context}/${api.name}` }));
  const notChecked = [{ what: 'the cluster', why: error }];
  return [{ name: context, verdict: 'unknown', overview: {}, facts: [], path: [], findings: [], notChecked, error }];
}
