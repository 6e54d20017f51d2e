import { type Code, catalog, generalWords, linkOf } from '../diagnosis/catalog.ts';
import { tagless } from './markdown.ts';

const introduction = `# Findings

What \`apisvc verify\` and \`apisvc lint\` can find, in the order in which a request meets it. Every finding has a code that does not change.
An **error** means that the API does not work (exit code 1); a **warning** that it works and should not stay so. A symptom is shown beneath the finding that explains it.

This page is generated from the catalog of findings by \`npm run docs\`.
`;

/** docs/findings.md, from the same catalog that words the findings. */
export const findingsPage = (): string => [introduction, ...(Object.keys(catalog) as Code[]).map(section)].join('\n');

function section(code: Code): string {
  const { severity, title, cause, fix, explainedBy } = generalWords(code);
  const anchor = linkOf(code).split('#')[1];
  return [
    `<a id="${anchor}"></a>`,
    '',
    `## ${code}`,
    '',
    `**${severity}**: ${tagless(title)}`,
    '',
    `- Cause: ${tagless(cause)}`,
    `- Fix: ${tagless(fix)}`,
    ...(explainedBy ? [`- Explained by: ${explainedBy.map((other) => `\`${other}\``).join(', ')}`] : []),
    '',
  ].join('\n');
}
