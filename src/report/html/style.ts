import type { Markup } from '../markup.ts';

/** Every text has a contrast of at least 4.5 to 1 in light and dark mode (WCAG 2.2, 1.4.3). */
export const style: Markup = {
  markup: `
:root {
  color-scheme: light dark;
  --arrow-right: polygon(0 42%, calc(100% - 0.65rem) 42%, calc(100% - 0.65rem) 0, 100% 50%, calc(100% - 0.65rem) 100%, calc(100% - 0.65rem) 58%, 0 58%);
  --arrow-down: polygon(42% 0, 42% calc(100% - 0.65rem), 0 calc(100% - 0.65rem), 50% 100%, 100% calc(100% - 0.65rem), 58% calc(100% - 0.65rem), 58% 0);
  --ground: #ffffff; --raised: #f6f7f9; --line: #d5d9e0; --text: #1b1f27; --dim: #59616e; --link: #1d4fb8;
  --bad: #b3211b; --bad-ground: #fdf1f0; --warn: #8a5800; --warn-ground: #fdf6e7; --good: #1a6f3c; --good-ground: #eef7f1;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14171c; --raised: #1d2128; --line: #3a414d; --text: #e4e7ec; --dim: #a0a9b8; --link: #8ab4ff;
    --bad: #ff8d85; --bad-ground: #2e1a1a; --warn: #f0bb58; --warn-ground: #2b2414; --good: #74cf97; --good-ground: #17271d;
  }
}
* { box-sizing: border-box; }
body { max-width: 68rem; margin: 0 auto; padding: 2.5rem 1.5rem 4rem; background: var(--ground); color: var(--text); font: 1rem/1.55 system-ui, sans-serif; overflow-wrap: anywhere; }
h1, h2, h3, p, dl, dd, ul, ol, figure, pre { margin: 0; padding: 0; }
h1 { font-size: 2rem; line-height: 1.2; font-weight: 650; letter-spacing: -0.015em; }
h2 { font-size: 1.4rem; line-height: 1.3; font-weight: 650; letter-spacing: -0.01em; }
h3 { font-size: 1.1rem; line-height: 1.4; font-weight: 600; }
a { color: var(--link); }
code, pre { font: 0.875rem/1.5 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
pre { padding: 0.6rem 0.8rem; border-radius: 4px; background: var(--raised); white-space: pre-wrap; }
.eyebrow, figcaption, caption { color: var(--dim); font-size: 0.8125rem; }
.eyebrow { font-family: ui-monospace, Menlo, Consolas, monospace; }
header.page { padding-bottom: 1.25rem; border-bottom: 1px solid var(--line); }
.origin { display: flex; flex-wrap: wrap; gap: 0.4rem 2rem; margin-top: 0.75rem; font-size: 0.875rem; }
.origin div { display: flex; gap: 0.5rem; }
.origin dt { color: var(--dim); }
.failure { margin-top: 0.75rem; }
.failure strong { color: var(--bad); }
article { margin-top: 2.5rem; }
article + article { padding-top: 2.5rem; border-top: 1px solid var(--line); }
article > header p { margin-top: 0.5rem; color: var(--dim); }
.badge { display: inline-block; white-space: nowrap; padding: 0.05rem 0.6rem; border: 1px solid currentcolor; border-radius: 1rem; font-size: 0.875rem; font-weight: 600; }
.badge.healthy { color: var(--good); background: var(--good-ground); }
.badge.broken { color: var(--bad); background: var(--bad-ground); }
.badge.unknown { color: var(--warn); background: var(--warn-ground); }
.table { margin-top: 1.5rem; overflow-x: auto; }
table { width: 100%; border-collapse: collapse; font-size: 0.9375rem; }
caption { text-align: left; padding-bottom: 0.4rem; }
th, td { padding: 0.45rem 1rem 0.45rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: baseline; font-weight: 400; }
tbody th { width: 30%; }
td ul { list-style: none; display: grid; gap: 0.25rem; }
thead th { color: var(--dim); font-size: 0.8125rem; }
figure { margin-top: 1.75rem; }
.path { display: flex; margin-top: 0.6rem; list-style: none; }
.path > li { flex: 1 1 0; min-width: 0; padding-left: 2.5rem; position: relative; }
.path > li:first-child { padding-left: 0; flex-grow: 0.7; }
.path > li.fan { flex-grow: 1.4; }
.fan ul { display: grid; gap: 0.75rem; list-style: none; }
.fan li { position: relative; }
.path > li + li::before, .fan li:not(:only-child)::after {
  --shaft: var(--dim); --gap: var(--dim);
  content: ""; position: absolute; top: 1.1rem; left: 0.2rem; width: 2.1rem; height: 0.8rem; clip-path: var(--arrow-right);
  background: linear-gradient(var(--shaft), var(--shaft)) right / 0.65rem 100% no-repeat, repeating-linear-gradient(to right, var(--shaft) 0 0.3rem, var(--gap) 0.3rem 0.5rem);
  print-color-adjust: exact; -webkit-print-color-adjust: exact;
}
.path > li.many::before { left: 0; width: 1.25rem; clip-path: polygon(0 42%, 100% 42%, 100% 58%, 0 58%); }
.fan li:not(:only-child)::after { left: -1.25rem; width: 1.1rem; }
.fan li:not(:last-child)::before { content: ""; position: absolute; top: 1.45rem; bottom: -2.3rem; left: -1.25rem; border-left: 2px solid var(--dim); }
.path > li.broken + li::before, .path > li.broken::before, .fan li.broken:not(:only-child)::after { --shaft: var(--bad); --gap: transparent; }
.path > li.unseen::before, .fan li.unseen:not(:only-child)::after { --gap: transparent; }
.hop { min-height: 7.25rem; padding: 0.6rem 0.8rem; border: 1px solid var(--line); border-top-width: 3px; border-radius: 6px; background: var(--raised); }
.fan li:not(:only-child) .hop { min-height: 0; }
.hop.ok { border-top-color: var(--good); }
.hop.warning { border-color: var(--warn); background: var(--warn-ground); }
.hop.broken { border: 2px solid var(--bad); border-top-width: 3px; background: var(--bad-ground); }
.hop.unseen { border-color: var(--dim); border-style: dashed; border-top-width: 1px; background: none; }
.hop .kind { font-weight: 600; font-size: 0.9375rem; }
.hop .name { font-size: 0.8125rem; color: var(--dim); }
.hop .state { margin-top: 0.35rem; font-size: 0.8125rem; font-weight: 600; }
.hop .code code { font-size: 0.75rem; }
.hop.ok .state { color: var(--good); }
.hop.warning .state { color: var(--warn); }
.hop.broken .state { color: var(--bad); }
.hop.unseen .state { color: var(--dim); }
.rest { padding-top: 0.85rem; color: var(--dim); font-size: 0.875rem; }
.finding { margin-top: 1.75rem; padding: 1.1rem 1.25rem; border: 1px solid var(--line); border-left: 4px solid var(--bad); border-radius: 4px; }
.finding.warning { border-left-color: var(--warn); }
.group > summary { padding: 0.75rem 0; font-weight: 600; }
.group { margin-top: 2.5rem; border-top: 1px solid var(--line); }
.group article { margin-top: 1.5rem; }
.label { display: block; margin-bottom: 0.2rem; font-size: 0.875rem; font-weight: 400; }
.severity { font-weight: 700; color: var(--bad); }
.warning .severity { color: var(--warn); }
.finding dl, .unchecked dl { margin-top: 0.9rem; display: grid; gap: 0.7rem; }
.finding dl div, .unchecked dl div { display: grid; grid-template-columns: 4.5rem minmax(0, 1fr); gap: 0.75rem; }
.unchecked dl div { grid-template-columns: minmax(8rem, 18rem) minmax(0, 1fr); }
.finding dt { color: var(--dim); }
.finding dd { display: grid; gap: 0.5rem; }
.command { border: 1px solid var(--line); user-select: all; }
.more { margin-top: 0.9rem; color: var(--dim); font-size: 0.8125rem; }
.more code { font-size: 0.8125rem; }
.unchecked { margin-top: 2rem; }
details { margin-top: 1.25rem; }
summary { cursor: pointer; color: var(--link); }
details ul { margin-top: 0.6rem; padding-left: 1.25rem; }
.finding details { margin-top: 0.9rem; font-size: 0.9375rem; }
@media (max-width: 44rem) {
  body { padding: 1.25rem 1rem 3rem; }
  h1 { font-size: 1.5rem; }
  h2 { font-size: 1.2rem; }
  thead { position: absolute; clip-path: inset(50%); }
  tr { display: block; padding: 0.6rem 0; border-bottom: 1px solid var(--line); }
  th, td { display: block; padding: 0.1rem 0; border: 0; }
  tbody th { width: auto; }
  .path { display: block; }
  .path > li { padding: 1.25rem 0 0; }
  .path > li:first-child { padding-top: 0; }
  .path > li + li::before, .path > li.many::before {
    left: 1.2rem; top: 0.1rem; width: 0.8rem; height: 1.1rem; clip-path: var(--arrow-down);
    background: linear-gradient(var(--shaft), var(--shaft)) bottom / 100% 0.65rem no-repeat, repeating-linear-gradient(to bottom, var(--shaft) 0 0.2rem, var(--gap) 0.2rem 0.3rem);
  }
  .fan li:not(:last-child)::before, .fan li:not(:only-child)::after { display: none; }
  .hop { min-height: 0; }
  .rest { padding-top: 0; }
  .finding { padding: 0.9rem; }
  .finding dl div, .unchecked dl div { grid-template-columns: minmax(0, 1fr); gap: 0.15rem; }
}
@media print {
  body { max-width: none; padding: 0; }
  .finding, .hop { break-inside: avoid; }
}
`,
};
