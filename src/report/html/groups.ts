import { counted } from '../../config/counted.ts';
import type { ApiDiagnosis, Diagnosis } from '../../diagnosis/types.ts';
import type { Source } from '../../snapshot/types.ts';
import { type Markup, markup } from '../markup.ts';
import { byVerdict, isBrief, sectionsOf } from '../sections.ts';
import { verdictLabel } from '../verdict.ts';
import { apiArticle } from './api.ts';

/** APIs that are shown one after the other, or folded under a title. */
interface Group {
  /** Undefined for APIs that are not folded. */
  readonly fold: { readonly id: string; readonly title: string } | undefined;
  readonly apis: readonly { readonly id: string; readonly api: ApiDiagnosis }[];
}

/**
 * The APIs in the order of the page: broken, not decided, healthy with warnings or gaps. Then the
 * healthy ones, and those that kube-apiserver itself serves, which are about thirty. A report of
 * one API folds nothing.
 */
export function groupsOf(diagnosis: Diagnosis): readonly Group[] {
  const sections = sectionsOf(diagnosis);
  const folds = (api: ApiDiagnosis): boolean => sections.length > 1 && isBrief(api);
  const brief = sections.filter(folds);
  const whole = byVerdict(
    sections.filter((api) => !folds(api)),
    ['broken', 'unknown', 'healthy'],
  );
  const backed = brief.filter(({ overview }) => overview.service !== undefined);
  const own = brief.filter(({ overview }) => overview.service === undefined);
  const label = verdictLabel('healthy', diagnosis.source);
  const groups = [
    { fold: undefined, apis: whole },
    { fold: { id: 'healthy', title: `${counted(backed.length, 'API')}: ${label}` }, apis: backed },
    { fold: { id: 'local', title: `${counted(own.length, 'API')} without a Service: ${label}` }, apis: own },
  ];
  let count = 0;
  return groups.flatMap(({ fold, apis }) =>
    apis.length === 0 ? [] : [{ fold, apis: apis.map((api) => ({ id: `api-${++count}`, api })) }],
  );
}

/** Whether the page shows only one API. */
export const isAlone = (groups: readonly Group[]): boolean => groups.length === 1 && groups[0]?.apis.length === 1;

export const groupSection = ({ fold, apis }: Group, source: Source): Markup => {
  const articles = apis.map(({ id, api }) => apiArticle(api, id, source));
  if (!fold) return markup`${articles}`;
  return markup`<details class="group" id="${fold.id}">
<summary>${fold.title}</summary>
${articles}</details>
`;
};

export const summaryTable = (groups: readonly Group[], source: Source): Markup => markup`<div class="table">
<table>
<caption>APIs</caption>
<thead><tr><th scope="col">API</th><th scope="col">Verdict</th><th scope="col">Findings</th></tr></thead>
<tbody>
${groups.map((group) => (group.fold ? foldRow(group.fold, source) : group.apis.map(({ id, api }) => apiRow(id, api, source))))}</tbody>
</table>
</div>`;

const apiRow = (id: string, api: ApiDiagnosis, source: Source): Markup =>
  markup`<tr><th scope="row"><a href="#${id}">${api.name}</a></th><td>${badge(api.verdict, source)}</td><td>${findingsCell(api)}</td></tr>
`;

const foldRow = ({ id, title }: NonNullable<Group['fold']>, source: Source): Markup =>
  markup`<tr><th scope="row"><a href="#${id}">${title.replace(/: .*/, '')}</a></th><td>${badge('healthy', source)}</td><td>none</td></tr>
`;

const badge = (verdict: ApiDiagnosis['verdict'], source: Source): Markup =>
  markup`<span class="badge ${verdict}">${verdictLabel(verdict, source)}</span>`;

/** The code and the title of each finding. */
function findingsCell({ findings, notChecked }: ApiDiagnosis): Markup {
  if (findings.length === 0) return markup`${notChecked.length > 0 ? `none (${notChecked.length} not checked)` : 'none'}`;
  return markup`<ul>
${findings.map(
  ({ code, severity, title }) => markup`<li class="${severity}"><span class="severity">${severity}</span> <code>${code}</code> ${title}</li>
`,
)}</ul>`;
}
