import type { HopKind } from '../../diagnosis/catalog/entry.ts';
import type { Hop } from '../../diagnosis/types.ts';
import { type Markup, markup } from '../markup.ts';

/** More endpoints than this make no drawing. */
const endpointLimit = 8;

const kinds: Readonly<Record<HopKind, string>> = {
  client: 'Client',
  'kube-apiserver': 'kube-apiserver',
  service: 'Service',
  endpoint: 'Endpoint',
};

/** State by sign and word as well as by colour. */
const states: Readonly<Record<Hop['state'], { readonly sign: string; readonly words: string }>> = {
  ok: { sign: '✓', words: 'in order' },
  warning: { sign: '!', words: 'warning' },
  broken: { sign: '✕', words: 'broken' },
  unseen: { sign: '?', words: 'not looked at' },
};

/** The worst first: what has to be cut from a long list is in order. */
const byState = ['broken', 'warning', 'unseen', 'ok'] as const satisfies readonly Hop['state'][];

/** The way of a request as a row of boxes (a column on narrow screens) that ends in the endpoints; a list for those who do not see it. */
export function pathFigure(path: readonly Hop[], id: string): Markup {
  const stations = path.filter(({ kind }) => kind !== 'endpoint');
  const endpoints = path.filter(({ kind }) => kind === 'endpoint').sort((a, b) => byState.indexOf(a.state) - byState.indexOf(b.state));
  return markup`<figure aria-labelledby="${id}-path">
<figcaption id="${id}-path">The way of a request</figcaption>
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
    ? markup`<li class="rest">${restWords(endpoints.slice(endpointLimit))}</li>
`
    : ''
}</ul></li>
`;

const box = ({ kind, name, state, codes }: Hop): Markup => markup`<div class="hop ${state}">
<p class="kind">${kinds[kind]}</p>
<p class="name">${name}</p>
<p class="state"><span class="sign" aria-hidden="true">${states[state].sign}</span> ${states[state].words}</p>
${codes.map(
  (code) => markup`<p class="code"><code>${code}</code></p>
`,
)}</div>`;

function restWords(rest: readonly Hop[]): string {
  const counts = byState.map((state) => [rest.filter((hop) => hop.state === state).length, states[state].words] as const);
  const words = counts.filter(([count]) => count > 0).map(([count, text]) => `${count} ${text}`);
  return `and ${rest.length} more: ${words.join(', ')}`;
}
