import type { ApiDiagnosis, Diagnosis } from '../diagnosis/types.ts';
import type { Source } from '../snapshot/types.ts';
import { findingCounts } from './finding-text.ts';
import { apiArticle } from './html/api.ts';
import { style } from './html/style.ts';
import { type Markup, markup } from './markup.ts';
import { sectionsOf } from './sections.ts';
import { headline, verdictLabel } from './verdict.ts';

/**
 * The diagnosis as one self-contained HTML file, without scripts, fonts or links to other sites.
 * Several APIs get a table of contents. The Content-Security-Policy forbids the browser to load or
 * run anything, in case text from the cluster ever gets past the escaping.
 */
export function diagnosisHtml(diagnosis: Diagnosis): string {
  const { source } = diagnosis;
  const apis = sectionsOf(diagnosis);
  const title = headline(diagnosis);
  return markup`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${title}</title>
<style>${style}</style>
</head>
<body>
<header class="page">
<p class="eyebrow">apisvc ${source.kind === 'files' ? 'lint' : 'verify'}</p>
<h1>${apis.length === 1 ? 'Diagnosis of an aggregated API' : title}</h1>
<dl class="origin">${originOf(diagnosis)}</dl>${
    diagnosis.failure === undefined
      ? ''
      : markup`
<p class="failure"><strong>failed:</strong> ${diagnosis.failure}</p>`
  }
</header>
<main>
${apis.length > 1 ? summaryTable(apis, source) : ''}
${apis.map((api, at) => apiArticle(api, idOf(at), source))}
</main>
</body>
</html>
`.markup;
}

const idOf = (at: number): string => `api-${at + 1}`;

function originOf({ source, takenAt }: Diagnosis): readonly Markup[] {
  const taken = [['Observed at', takenAt]];
  const where =
    source.kind === 'files'
      ? [['Files', source.files.join(', ')]]
      : [
          ['Cluster', source.server],
          ['Context', source.context],
          ['Kubernetes', source.version ?? 'unknown'],
        ];
  return [...where, ...taken].map(([term = '', text = '']) => markup`<div><dt>${term}</dt><dd>${text}</dd></div>`);
}

const summaryTable = (apis: readonly ApiDiagnosis[], source: Source): Markup => markup`<div class="table">
<table>
<caption>APIs</caption>
<thead><tr><th scope="col">API</th><th scope="col">Verdict</th><th scope="col">Findings</th></tr></thead>
<tbody>
${apis.map(
  (
    api,
    at,
  ) => markup`<tr><th scope="row"><a href="#${idOf(at)}">${api.name}</a></th><td><span class="badge ${api.verdict}">${verdictLabel(api.verdict, source)}</span></td><td>${findingCounts(api.findings) || 'none'}</td></tr>
`,
)}</tbody>
</table>
</div>`;
