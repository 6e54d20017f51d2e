import { HtmlValidate } from 'html-validate';
import { describe, expect, test } from 'vitest';
import type { ApiDiagnosis } from '../../../src/diagnosis/types.ts';
import { style } from '../../../src/report/html/style.ts';
import { diagnosisHtml } from '../../../src/report/html.ts';
import { escapes } from './colors.ts';
import { broken, healthy, hostile, inFiles, placed, recorded, several } from './diagnoses.ts';

const validator = new HtmlValidate({
  extends: ['html-validate:recommended', 'html-validate:document', 'html-validate:a11y'],
  // Names of APIs may be long.
  rules: { 'long-title': 'off' },
});

async function faults(html: string): Promise<readonly string[]> {
  const { results } = await validator.validateString(html);
  return results.flatMap(({ messages }) => messages.map(({ line, column, ruleId, message }) => `${line}:${column} ${ruleId} ${message}`));
}

test('the validator finds errors', async () => {
  expect(await faults(diagnosisHtml(healthy).replace('<h1>', '<h1><div>'))).not.toEqual([]);
});

describe.each(Object.entries({ ...recorded, several, files: inFiles('a.yaml', 'b.yaml'), placed }))('%s', (_, diagnosis) => {
  const html = diagnosisHtml(diagnosis);

  test('is valid HTML', async () => {
    expect(await faults(html)).toEqual([]);
  });

  test('is self-contained', () => {
    const own = html.replace(/<style>[\s\S]*?<\/style>/, '');
    expect(own).not.toMatch(/<(script|link|img|iframe|object|svg|form)\b/i);
    expect(own).not.toMatch(/\s(href|src)="(?!#)/);
    expect(html).not.toMatch(/url\(|@import/);
    expect(html).not.toMatch(escapes);
  });
});

test.each(Object.entries(recorded))('the page of %s', async (name, diagnosis) => {
  const page = diagnosisHtml(diagnosis).replace(/<style>[\s\S]*?<\/style>/, '<style></style>');
  await expect(page).toMatchFileSnapshot(`snapshots/${name}.html`);
});

test('each hop has a sign and a label', () => {
  const hops = [...diagnosisHtml(broken).matchAll(/<p class="kind">(.*?)<\/p>[\s\S]*?aria-hidden="true">(.)<\/span> (.*?)<\/p>/g)];
  expect(hops.map(([, kind, sign, words]) => `${kind}: ${sign} ${words}`)).toEqual([
    'Client: ✓ ok',
    'kube-apiserver: ✓ ok',
    'Service: ✓ ok',
    'Endpoint: ✕ broken',
  ]);
});

test('of many endpoints, the worst are drawn', () => {
  const html = diagnosisHtml(several);
  expect(html).toContain('10.1.0.13:8443 (pod api-12)');
  expect(html).toContain('and 5 more: 5 ok');
});

describe('several APIs', () => {
  const local = { ...healthy.apis[0], name: 'v1.apps', overview: {} } as ApiDiagnosis;
  const html = diagnosisHtml({ ...several, apis: [local, ...several.apis] });
  const ids = (pattern: RegExp): string[] => [...html.matchAll(pattern)].map(([, id = '']) => id);

  test('have a table with links, and the code and the title of each finding', () => {
    const targets = ids(/href="#([^"]+)"/g);
    expect(targets).toEqual(['api-1', 'api-2', 'api-3', 'api-4', 'healthy', 'local']);
    for (const id of targets) expect(html).toContain(` id="${id}">`);
    const [table = ''] = /<table>[\s\S]*<\/table>/.exec(html) ?? [];
    expect(table).toMatch(/<span class="severity">error<\/span> <code>cert\/unknown-authority<\/code> \w/);
    expect(table).toContain('>1 API without a Service</a>');
    expect(diagnosisHtml(healthy)).not.toContain('<table>');
  });

  test('come broken first; healthy and Local ones are folded', () => {
    const [open = '', ...folded] = html.split('<details class="group"');
    const names = (part: string): string[] => [...part.matchAll(/<h2[^>]*>(.*?)<\/h2>/g)].map(([, name = '']) => name);
    expect(names(open)).toEqual([
      'v1alpha1.wardle.example.com',
      'v1beta1.metrics.k8s.io',
      'v1.external.metrics.k8s.io',
      'v1.custom.metrics.k8s.io',
    ]);
    expect(folded.map(names)).toEqual([['v1.apps'], ['v1.apps']]);
    expect(folded.map((part) => /<summary>(.*?)</.exec(part)?.[1])).toEqual(['1 API: healthy', '1 API without a Service: healthy']);
  });

  test('nothing is folded in the report of one API', () => {
    expect(diagnosisHtml(healthy)).not.toContain('class="group"');
  });
});

test('times have no milliseconds', () => {
  const evidence = ['expired at 2026-06-15T12:00:00.000Z'];
  const [api] = broken.apis as [ApiDiagnosis];
  const findings = api.findings.map((finding) => ({ ...finding, title: `the certificate ${evidence}`, evidence }));
  const html = diagnosisHtml({ ...broken, takenAt: '2026-06-15T12:00:00.123Z', apis: [{ ...api, findings, facts: evidence }] });
  expect(html.match(/2026-06-15T12:00:00Z/g)).toHaveLength(4);
  expect(html).not.toMatch(/:00\.\d/);
});

test('the title is the largest text', () => {
  const sizes = [...style.markup.matchAll(/(?:^|\n)([^{}]*) \{[^}]*font(?:-size)?: ([\d.]+)rem/g)].map(([, of = '', size]) => [
    of.trim(),
    Number(size),
  ]);
  const largest = sizes.toSorted(([, one], [, other]) => Number(other) - Number(one))[0];
  expect(largest).toEqual(['h1', 2]);
});

test('hostile text stays text', () => {
  const html = diagnosisHtml(hostile);
  expect(html).toContain(
    '&lt;/pre&gt;&lt;script&gt;alert(1)&lt;/script&gt;]]&gt;&quot;&#39; onload=&#39;x&#39; \\x1b[31m\\x00\\x202e\ufffd\ufffd 50%\\x0d\\x0a',
  );
  expect(html).not.toContain('<script');
});

/** WCAG 2.2, "relative luminance" and "contrast ratio". */
function contrast(a: string, b: string): number {
  const luminance = (color: string): number => {
    const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
      const share = Number.parseInt(color.slice(at, at + 2), 16) / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const [dark = 0, light = 0] = [luminance(a), luminance(b)].sort((one, other) => one - other);
  return (light + 0.05) / (dark + 0.05);
}

describe.each(['light', 'dark'])('%s', (mode) => {
  const blocks = [...style.markup.matchAll(/:root \{([^}]*)\}/g)].map(([, block = '']) => block);
  const colors = new Map(
    [...(blocks[mode === 'light' ? 0 : 1] ?? '').matchAll(/--([\w-]+): (#\w{6});/g)].map(([, name, color]) => [name, color]),
  );

  test.each([
    ...['text', 'dim', 'link', 'bad', 'warn', 'good'].flatMap((text) => [`${text} ground`, `${text} raised`]),
    ...['bad', 'warn', 'good'].flatMap((state) => [`${state} ${state}-ground`, `text ${state}-ground`, `dim ${state}-ground`]),
  ])('%s has enough contrast', (pair) => {
    const [text = '', ground = ''] = pair.split(' ').map((name) => colors.get(name));
    expect(contrast(text, ground)).toBeGreaterThanOrEqual(4.5);
  });
});
