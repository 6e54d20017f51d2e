import { type Code, catalog, generalEntry, linkOf } from '../diagnosis/catalog.ts';
import { escapeTags } from './markdown.ts';
import { markdownItem, wrap } from './wrap.ts';

const introduction = `# Findings

This page lists the findings of \`apisvc verify\` and \`apisvc lint\`, in the order of the request
path. The codes are stable.

- An **error** means that the API does not work. The exit code is 1.
- A **warning** means that the API works, but needs attention.
- **Explained by** lists the findings that can cause a finding. If the report contains one of them,
  it lists the finding under it, as a symptom.

This page is generated from the catalog of findings.
`;

/** docs/findings.md, generated from the catalog of findings by `npm run docs`. */
export const findingsPage = (): string => [introduction, ...(Object.keys(catalog) as Code[]).map(section)].join('\n');

function section(code: Code): string {
  const { severity, title, cause, fix, explainedBy } = generalEntry(code);
  const anchor = linkOf(code).split('#')[1];
  return [
    `<a id="${anchor}"></a>`,
    '',
    `## ${code}`,
    '',
    wrap(`**${severity}**: ${escapeTags(title)}`, 100),
    '',
    markdownItem(`Cause: ${escapeTags(cause)}`),
    markdownItem(`Fix: ${escapeTags(fix)}`),
    ...(explainedBy ? [markdownItem(`Explained by: ${explainedBy.map((other) => `\`${other}\``).join(', ')}`)] : []),
    '',
  ].join('\n');
}
