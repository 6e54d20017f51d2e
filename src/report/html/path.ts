import type { HopKind } from '../../diagnosis/catalog/entry.ts';
import type { Hop } from '../../diagnosis/types.ts';
import { type Markup, markup } from '../markup.ts';

/** More endpoints would not fit into the figure. */
const endpointLimit = 8;

const kinds: Readonly<Record<HopKind, string>> = {
  client: 'Client',
  'kube-apiserver': 'kube-apiserver',
  service: 'Service',
  endpoint: 'Endpoint',
};

/** Each state has a sign and a label, so that no reader depends on colors. */
const states: Readonly<Record<Hop['state'], { readonly sign: string; readonly label: string }>> = {
  ok: { sign: '✓', label: 'ok' },
  warning: { sign: '!', label: 'warning' },
  broken: { sign: '✕', label: 'broken' },
  unseen: { sign: '?', label: 'not checked' },
};

/** The worst first, so that a long list only cuts endpoints that are ok. */
const byState = ['broken', 'warning', 'unseen', 'ok'] as const satisfies readonly Hop['state'][];

/**
 * The request path as a row of boxes that ends in the endpoints; on narrow screens, as a column.
 * Screen readers read it as a list.
 */
export function pathFigure(path: readonly Hop[], id: string): Markup {
  const stations = path.filter(({ kind }) => kind !== 'endpoint');
  const endpoints = path.filter(({ kind }) => kind === 'endpoint').sort((a, b) => byState.indexOf(a.state) - byState.indexOf(b.state));
  return markup`<figure aria-labelledby="${id}-path">
<figcaption id="${id}-path">Request path</figcaption>
<ol class="path">
${stations.map(
  (hop) => markup`<li class="${hop.state}">${box(hop)}</li>
`,
)}${endpoints.length > 0 ? fan(endpoints) : ''}</ol>
</figure>`;
}

const fan = (
  endpoints: readonly Hop[],
): Markup => markup`<li class="fan ${endpoints.length === 1 ? (endpoints[0]?.state ?? '') : 'many'}"><ul>
${endpoints.slice(0, endpointLimit).map(
  (hop) => markup`<li class="${hop.state}">${box(hop)}</li>
`,
)}${
  endpoints.length > endpointLimit
    ? markup`<li class="rest">${restText(endpoints.slice(endpointLimit))}</li>
`
    : ''
}</ul></li>
`;

const box = ({ kind, name, state, codes }: Hop): Markup => markup`<div class="hop ${state}">
<p class="kind">${kinds[kind]}</p>
<p class="name">${name}</p>
<p class="state"><span class="sign" aria-hidden="true">${states[state].sign}</span> ${states[state].label}</p>
${codes.map(
  (code) => markup`<p class="code"><code>${code}</code></p>
`,
)}</div>`;

function restText(rest: readonly Hop[]): string {
  const counts = byState.map((state) => [rest.filter((hop) => hop.state === state).length, states[state].label] as const);
  const parts = counts.filter(([count]) => count > 0).map(([count, label]) => `${count} ${label}`);
  return `and ${rest.length} more: ${parts.join(', ')}`;
}
