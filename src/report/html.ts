import type { Diagnosis } from '../diagnosis/types.ts';
import { groupSection, groupsOf, isAlone, summaryTable } from './html/groups.ts';
import { style } from './html/style.ts';
import { type Markup, markup } from './markup.ts';
import { headline } from './verdict.ts';

/**
 * The diagnosis as one self-contained HTML file, without scripts, fonts or links to other sites.
 * Several APIs get a table of contents. Broken APIs come first; healthy ones are folded. The
 * Content-Security-Policy forbids the browser to load or run anything, in case text from the
 * cluster ever gets past the escaping.
 */
export function diagnosisHtml(diagnosis: Diagnosis): string {
  const { source } = diagnosis;
  const groups = groupsOf(diagnosis);
  const title = headline(diagnosis);
  const page = markup`<!DOCTYPE html>
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
<h1>${isAlone(groups) ? 'Diagnosis of an aggregated API' : title}</h1>
<dl class="origin">${originOf(diagnosis)}</dl>${
    diagnosis.failure === undefined
      ? ''
      : markup`
<p class="failure"><strong>failed:</strong> ${diagnosis.failure}</p>`
  }
</header>
<main>
${isAlone(groups) ? '' : summaryTable(groups, source)}
${groups.map((group) => groupSection(group, source))}
</main>
</body>
</html>
`;
  return withoutMilliseconds(page.markup);
}

/** Times as ISO 8601 without milliseconds, which say nothing here. */
const withoutMilliseconds = (text: string): string => text.replace(/(\dT\d\d:\d\d:\d\d)\.\d+(?=Z|[+-]\d\d:)/g, '$1');

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
