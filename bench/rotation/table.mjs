/** @typedef {import('./table.d.mts').Row} Row */

/** @param {number} count */
const withCommas = (count) => String(count).replace(/\B(?=(\d{3})+$)/g, ',');

/** @param {Row} row */
function figureOf({ requests, failures, retried }) {
  const again = retried.reduce((sum, { count }) => sum + count, 0);
  return `${withCommas(failures)} of ${withCommas(requests)}${again > 0 ? ` (${withCommas(again)} retried)` : ''}`;
}

/** @param {readonly Row[]} rows */
function watchOf(rows) {
  const watches = rows.flatMap(({ watch }) => watch ?? []);
  if (watches.length === 0) return 'not served';
  if (watches.every(({ opened }) => opened === 1)) return 'stays open';
  return `closes, ${withCommas(Math.max(...watches.map(({ longestGapMs }) => longestGapMs)))} ms`;
}

/**
 * Writes the table: a line for each scenario, server and sync frequency, a column for each version
 * and rate, in Markdown.
 * @type {typeof import('./table.d.mts').tableOf}
 */
export function tableOf(rows) {
  /** @param {keyof Row} key */
  const valuesOf = (key) => [...new Set(rows.map((row) => row[key]))];
  const columns = valuesOf('kubernetes')
    .sort()
    .reverse()
    .flatMap((kubernetes) =>
      valuesOf('rate')
        .map(Number)
        .sort((a, b) => a - b)
        .map((rate) => ({ kubernetes, rate })),
    );
  const lines = /** @type {Map<string, Row[]>} */ (new Map());
  for (const row of rows) {
    const key = [row.scenario, row.server, row.sync].join(' | ');
    lines.set(key, [...(lines.get(key) ?? []), row]);
  }
  const header = ['Scenario', 'Server', 'kubelet sync', ...columns.map(({ kubernetes, rate }) => `${kubernetes}, ${rate}/s`), 'Watch'];
  const body = [...lines].map(([key, group]) => {
    const cells = columns.map(({ kubernetes, rate }) => {
      const row = group.find((each) => each.kubernetes === kubernetes && each.rate === rate);
      return row ? figureOf(row) : 'not measured';
    });
    return [...key.split(' | '), ...cells, watchOf(group)];
  });
  return padded([header, ...body]);
}

/**
 * Which commits the figures are of, and when they were measured.
 * @type {typeof import('./table.d.mts').originOf}
 */
export function originOf(rows) {
  const commits = new Set(
    [...rows].sort((one, other) => one.date.localeCompare(other.date)).map(({ commit, date }) => `- ${commit}, ${date}`),
  );
  return ['Measured at these commits:', '', ...commits].join('\n');
}

/** @param {readonly (readonly string[])[]} lines the first one is the header */
function padded(lines) {
  const widths = (lines[0] ?? []).map((_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length)));
  const written = lines.map((line) => `| ${line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`);
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [written[0], rule, ...written.slice(1)].join('\n');
}
