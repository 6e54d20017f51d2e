import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, test } from 'vitest';
import { apiGroup, ruleName } from '../../src/cluster/resources.ts';
import { presetNames } from '../../src/config/presets.ts';
import { exitMeanings } from '../../src/errors.ts';
import { formatOf, formatsOf } from '../../src/report/formats.ts';
import { buildInfo, counters, gauges, runDuration } from '../../src/report/metrics.ts';
import {
  asUserPermission,
  authenticationConfig,
  pathPermission,
  type ReadPermission,
  verifyPermissions,
} from '../../src/snapshot/permissions.ts';
import { normalise, pages, readPage, tiers, transcriptsIn } from '../docs/transcripts.ts';

const root = join(import.meta.dirname, '..', '..');
const specs = readdirSync(join(root, 'test', 'cluster'), { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.test.ts'))
  .map((path) => readFileSync(join(root, 'test', 'cluster', path), 'utf8'));

describe.each(pages)('%s', (page) => {
  const text = readPage(page);

  test('every transcript is run by a test', () => {
    const blocks = transcriptsIn(page);
    const runs = ({ tier, name }: { tier: string; name: string }) =>
      tier === 'node' ? specs.some((spec) => spec.includes(`transcript('node', '${name}')`)) : (tiers as readonly string[]).includes(tier);
    expect(blocks.filter((block) => !runs(block)).map(({ text }) => text)).toEqual([]);
    const commands = text.match(/^\s*\$ /gm) ?? [];
    const shown = blocks.flatMap((block) => block.text.match(/^\$ /gm) ?? []);
    expect(commands, 'a line starts with "$ " outside a fenced block that starts with a command').toEqual(shown);
  });

  test('every link leads to a page or heading that exists', () => {
    const links = [...text.replace(/^```[\s\S]*?^```$/gm, '').matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)];
    const broken = links.filter(
      ([, path = '', anchor]) => !leadsSomewhere(path === '' ? page : normalize(join(dirname(page), path)), anchor),
    );
    expect(broken.map(([link]) => link)).toEqual([]);
  });
});

/** The anchors that GitHub gives to the headings of a page, and those that it sets itself. */
function anchorsOf(text: string): string[] {
  const headings = [...text.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );
  return [...headings, ...[...text.matchAll(/<a id="([^"]+)">/g)].map(([, id = '']) => id)];
}

function leadsSomewhere(path: string, anchor: string | undefined): boolean {
  try {
    return anchor === undefined || anchorsOf(readFileSync(join(root, path), 'utf8')).includes(anchor);
  } catch {
    return false;
  }
}

test('README.md links every page, and names the one that the package does not contain', () => {
  const linked = (page: string): boolean => readPage('README.md').includes(page === 'docs/laboratory.md' ? `\`${page}\`` : `](${page}`);
  expect(pages.filter((page) => page !== 'README.md' && !linked(page))).toEqual([]);
});

/** The rows of the table below a line, each with the text of its cells. */
const tableAfter = (page: string, line: string): string[][] =>
  (
    readPage(page)
      .split(`\n${line}\n`)[1]
      ?.match(/(?:^\|.*\n)+/m)?.[0] ?? ''
  )
    .split('\n')
    .slice(2, -1)
    .map((row) =>
      row
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );

/** The words of a text that are in backticks. */
const codeIn = (text: string): string[] => [...text.matchAll(/`([^`]+)`/g)].map(([, word = '']) => word);

test('README.md lists the exit codes as --help does', () => {
  const rows = tableAfter('README.md', '## Exit codes').map(([code = '', meaning = '']) => [code, meaning.replaceAll('`', '')]);
  expect(rows).toEqual(Object.entries(exitMeanings));
});

test('docs/ci.md lists the formats that report an error that ends the command', () => {
  const table = tableAfter('docs/ci.md', '## If the command ends with an error').flatMap(([format = '']) => codeIn(format));
  expect(table).toEqual(formatsOf('verify').filter((format) => formatOf(format).failedRun));
});

test('docs/verify.md lists every output format, and docs/lint.md those that lint does not have', () => {
  const table = tableAfter('docs/verify.md', '## Output formats').flatMap(([formats = '']) => codeIn(formats));
  expect(table.sort()).toEqual(formatsOf('verify').sort());
  const [, exceptions = ''] = /^`-o` selects one of the \[formats of `verify`\]\S* except ([^.]*)\./m.exec(readPage('docs/lint.md')) ?? [];
  expect(formatsOf('verify').filter((format) => !codeIn(exceptions).includes(format))).toEqual(formatsOf('lint'));
});

test('docs/permissions.md lists the permissions of verify and of monitor', () => {
  const rowOf = ({ resources, verbs, usedFor }: ReadPermission): string[] => {
    const inCertManager = resources.some((resource) => apiGroup(resource) === 'cert-manager.io');
    return [`${resources.map(ruleName).join(', ')}${inCertManager ? ' of cert-manager.io' : ''}`, verbs.join(', '), usedFor];
  };
  const { namespace, name, usedFor } = authenticationConfig;
  const paths = pathPermission.paths.map((path) => `\`${path}\``).join(', ');
  const rows = [
    ...verifyPermissions.map(rowOf),
    [`configmap ${namespace}/${name}`, 'get', usedFor],
    [`nonResourceURLs ${paths}`, 'get', pathPermission.usedFor],
    ['one resource of each API', 'list', 'send a list request'],
    [`${asUserPermission.resources.map(ruleName)}, with \`--as-user\` only`, ...rowOf(asUserPermission).slice(1)],
  ];
  expect(tableAfter('docs/permissions.md', '## verify').sort()).toEqual(rows.sort());
  const left = verifyPermissions.flatMap(({ resources, notForMonitor }) =>
    notForMonitor === undefined ? [] : [[resources.map(ruleName).join(', '), notForMonitor]],
  );
  expect(tableAfter('docs/permissions.md', '## monitor')).toEqual([
    ...left,
    ['one resource of each API', 'The monitor does not list the resources of the APIs'],
  ]);
});

test('docs/monitor.md lists every metric with its labels', () => {
  const table = tableAfter('docs/monitor.md', '## Metrics').map(([name = '', , labels = '']) => [...codeIn(name), ...codeIn(labels)]);
  const own = [...Object.values(counters), runDuration].map(({ name }) => [name]);
  expect(table).toEqual([...gauges.map(({ name, labels }) => [name, ...labels]), ...own, [buildInfo.name, 'version']]);
});

test('docs/registering.md lists every preset', () => {
  expect(tableAfter('docs/registering.md', '## Presets').flatMap(([name = '']) => codeIn(name))).toEqual([...presetNames]);
});

test('CONTRIBUTING.md names files and folders that exist', () => {
  const named = [...readPage('CONTRIBUTING.md').matchAll(/`((?:src|test|scripts|templates|docs|bench)\/[\w./-]*)`/g)].map(
    ([, path = '']) => path,
  );
  const real = named.filter((path) => !/NAME|FILE/.test(path));
  expect(real.length).toBeGreaterThan(20);
  expect(real.filter((path) => !existsSync(join(root, path)))).toEqual([]);
});

test.each([
  ['127.0.0.1:8443 (pod demo-32de979436-25152)', '127.0.0.1:43461 (pod demo-2fbb3e881d-f7b69)'],
  ['valid until 2027-11-28 (365 days)', 'valid until 2027-11-23 (365 days)'],
  ['a\n    waiting for Deployment x\nb', 'a\nb'],
])('two runs are equal: %j', (one, other) => {
  expect(normalise(one)).toBe(normalise(other));
});

test('two results are not equal', () => {
  expect(normalise('demo: healthy')).not.toBe(normalise('demo: broken'));
});
