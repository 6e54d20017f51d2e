import { counted } from '../../config/counted.ts';
import { noVerdict } from '../../diagnosis/failure.ts';
import { fixParts } from '../../diagnosis/fix.ts';
import { locationText } from '../../diagnosis/locations.ts';
import { splitRule } from '../../diagnosis/not-checked.ts';
import type { ApiDiagnosis, Finding, NotChecked } from '../../diagnosis/types.ts';
import type { Source } from '../../snapshot/types.ts';
import { findingCounts } from '../finding-text.ts';
import { lines, type Markup, markup } from '../markup.ts';
import { byReason } from '../not-checked.ts';
import { verdictLabel } from '../verdict.ts';
import { pathFigure } from './path.ts';

/**
 * The section of one API: verdict, request path, findings, checks that did not run, observed state.
 */
export const apiArticle = (api: ApiDiagnosis, id: string, source: Source): Markup => markup`<article aria-labelledby="${id}">
<header>
<h2 id="${id}">${api.name}</h2>
<p><span class="badge ${api.verdict}">${verdictLabel(api.verdict, source)}</span> ${summaryOf(api)}</p>
</header>
${api.path.length > 0 ? pathFigure(api.path, id) : ''}
${api.findings.map(findingSection)}
${api.notChecked.length > 0 ? notCheckedSection(api.notChecked) : ''}
${api.facts.length > 0 ? factsDetails(api) : ''}
</article>
`;

const summaryOf = ({ verdict, findings }: ApiDiagnosis): string => (verdict === 'unknown' ? noVerdict : findingCounts(findings));

const findingSection = ({
  code,
  severity,
  title,
  evidence,
  cause,
  fix,
  explains,
  locations = [],
}: Finding): Markup => markup`<section class="finding ${severity}">
<h3><span class="label"><span class="severity">${severity}</span> <code>${code}</code></span> ${title}</h3>
<dl>
${
  locations.length > 0
    ? markup`<div><dt>At</dt><dd><code>${locations.map(locationText).join(', ')}</code></dd></div>
`
    : ''
}${evidence.length > 0 ? markup`<div><dt>Seen</dt><dd><pre>${lines(evidence)}</pre></dd></div>` : ''}
<div><dt>Cause</dt><dd>${cause}</dd></div>
<div><dt>Fix</dt><dd>${fixParts(fix).map(({ kind, text }) => (kind === 'command' ? commandBlock(text) : markup`<p>${text}</p>`))}</dd></div>
</dl>
${explains.length > 0 ? symptomsDetails(explains) : ''}
<p class="more">Learn more: <code>apisvc explain ${code}</code></p>
</section>
`;

const symptomsDetails = (symptoms: readonly Finding[]): Markup => markup`<details>
<summary>Explains ${counted(symptoms.length, 'symptom')}</summary>
<ul>
${symptoms.map(
  ({
    code,
    title,
    evidence,
  }) => markup`<li><code>${code}</code> ${title}${evidence.length > 0 ? markup`<pre>${lines(evidence)}</pre>` : ''}</li>
`,
)}</ul>
</details>`;

const notCheckedSection = (notChecked: readonly NotChecked[]): Markup => markup`<section class="unchecked">
<h3>Not checked</h3>
<dl>
${byReason(notChecked).map(
  ({ what, why }) => markup`<div><dt>${what}</dt><dd>${reason(why)}</dd></div>
`,
)}</dl>
</section>`;

/** The RBAC rule that is missing is text to copy. */
function reason(why: string): Markup {
  const { message, rule } = splitRule(why);
  if (rule === undefined) return markup`${why}`;
  const [title, text] = [rule.slice(0, rule.indexOf(':') + 1), rule.slice(rule.indexOf(':') + 1).trim()];
  return markup`<p>${message}. ${title}</p>${commandBlock(text)}`;
}

const commandBlock = (text: string): Markup => markup`<pre class="command"><code>${text}</code></pre>`;

/** Open without findings: then the facts are the only content. */
const factsDetails = ({ facts, findings }: ApiDiagnosis): Markup => markup`<details${findings.length === 0 ? markup` open` : ''}>
<summary>Observed state</summary>
<ul class="facts">
${facts.map(
  (fact) => markup`<li>${fact}</li>
`,
)}</ul>
</details>`;
