import type { ChalkInstance } from 'chalk';
import { rotationFact } from '../diagnosis/checks/rotation.ts';
import { fixParts } from '../diagnosis/fix.ts';
import type { Status, StatusRow } from '../diagnosis/status.ts';
import type { Finding } from '../diagnosis/types.ts';
import { printable } from '../pki/printable.ts';
import { timeText } from '../pki/time-text.ts';
import { byReason } from './not-checked.ts';
import { failureLine } from './verdict.ts';
import { table } from './wide.ts';

/** The columns of a table: the heading, and the text of a row. */
type Columns = readonly (readonly [heading: string, text: (row: StatusRow) => string | undefined])[];

const fingerprintBytes = 8;

const short: Columns = [
  ['PLACE', ({ name }) => name],
  ['SUBJECT', ({ subject, notChecked }) => subject ?? (notChecked === undefined ? 'none' : 'not checked')],
  ['SERIAL', ({ serial }) => serial?.slice(0, fingerprintBytes)],
  ['SHA-256', ({ fingerprint }) => fingerprint?.slice(0, fingerprintBytes * 3 - 1)],
  ['ISSUER', ({ issuer }) => issuer],
  ['DAYS LEFT', ({ daysLeft }) => daysLeft?.toString()],
];
const long: Columns = [
  ...short.slice(0, 2),
  ['SERIAL', ({ serial }) => serial],
  ['SHA-256', ({ fingerprint }) => fingerprint],
  ['ISSUER', ({ issuer }) => issuer],
  ['EXPIRES', ({ notAfter }) => notAfter && timeText(notAfter)],
  ['DAYS LEFT', ({ daysLeft }) => daysLeft?.toString()],
];
const compared: Columns = [['SAME AS PROJECT', ({ sameAsProject }) => sameAsProject]];
const codes: Columns = [['CODES', (row) => row.codes.join(',') || undefined]];

/** One row for each certificate, then what is wrong, and what was not checked. */
export const statusTable = (status: Status, colors: ChalkInstance): string => text(status, short, colors);

/** The same with whole serial numbers and fingerprints. */
export const statusWide = (status: Status, colors: ChalkInstance): string => text(status, long, colors);

function text(status: Status, columns: Columns, colors: ChalkInstance): string {
  const { rows, rotations, unfinished, findings, failure, project } = status;
  const all = [...columns, ...(project === undefined ? [] : compared), ...codes];
  const cells = rows.map((row) => all.map(([, textOf]) => textOf(row) ?? '-'));
  const sections = [
    issuerLines(status),
    rotations.map((rotation) => printable(rotationFact(rotation))),
    unfinished
      ? [printable(`${unfinished.path} is left over from a rotation that is not complete`), ...fixLines(unfinished.fix, colors)]
      : [],
    findings.flatMap((finding) => findingLines(finding, colors)),
    reasonLines('no certificate', ({ none }) => none, status, colors),
    reasonLines('not checked', ({ notChecked }) => notChecked, status, colors),
    failure === undefined ? [] : [failureLine(failure, colors).trimEnd()],
  ];
  const below = sections.filter((lines) => lines.length > 0).map((lines) => `\n${lines.join('\n')}\n`);
  return `${table([all.map(([heading]) => heading), ...cells], -1, colors)}${below.join('')}`;
}

/** The places without a certificate to show, by their reason. */
function reasonLines(title: string, whyOf: (row: StatusRow) => string | undefined, { rows }: Status, { bold }: ChalkInstance) {
  const reasons = rows.flatMap((row) => {
    const why = whyOf(row);
    return why === undefined ? [] : [{ what: row.name, why }];
  });
  return reasons.length > 0 ? [bold(title), ...byReason(reasons).map(({ what, why }) => `  ${printable(`${what}: ${why}`)}`)] : [];
}

/** Only what apisvc does not write itself is worth a line. */
function issuerLines({ issuer }: Status): readonly string[] {
  if (!issuer || (issuer.secret === 'apisvc' && issuer.caBundle === 'apisvc')) return [];
  const { type, key, secret, caBundle } = issuer;
  return [`issuer ${type}: key created by ${key}; Secret written by ${secret}; caBundle written by ${caBundle}`];
}

/** The code, and the commands that repair it. `explain` has the rest. */
const findingLines = ({ code, severity, title, fix }: Finding, colors: ChalkInstance): readonly string[] => [
  `${(severity === 'error' ? colors.red : colors.yellow)(severity)} ${colors.bold(code)}: ${printable(title)}`,
  ...fixLines(fix, colors),
];

const fixLines = (fix: string, { cyan }: ChalkInstance): readonly string[] =>
  fixParts(fix).map(({ kind, text: part }) => `  ${kind === 'command' ? cyan(printable(part)) : printable(part)}`);
