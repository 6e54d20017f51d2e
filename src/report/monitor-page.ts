import { style } from './html/style.ts';
import { type Markup, markup } from './markup.ts';
import type { Monitored } from './metrics.ts';
import { headline } from './verdict.ts';

/**
 * The page of a monitor: each cluster with its state, and a link to its last report. Like a report,
 * it loads and runs nothing.
 */
export const monitorPage = (clusters: readonly Monitored[]): string =>
  markup`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>apisvc monitor</title>
<style>${style}</style>
</head>
<body>
<header class="page">
<p class="eyebrow">apisvc monitor</p>
<h1>Clusters</h1>
</header>
<main>
${clusters.map(clusterSection)}
</main>
</body>
</html>
`.markup;

const clusterSection = ({ context, last, error }: Monitored): Markup => markup`<article>
<h2>${context}</h2>
${
  error === undefined
    ? ''
    : markup`<p class="failure"><strong>The last run failed:</strong> ${error}</p>
`
}${
  last
    ? markup`<p>${headline(last.diagnosis)}, observed at ${last.diagnosis.takenAt.slice(0, 19)}Z. <a href="/?context=${encodeURIComponent(context)}">Report</a></p>`
    : markup`<p>No report yet.</p>`
}
</article>
`;
