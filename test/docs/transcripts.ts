import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';

/**
 * Transcripts in the documentation: fenced blocks that start with `$ command`. A test runs the
 * commands and compares the output; with APISVC_RECORD=1 it rewrites the block instead.
 *
 * The info string tells who runs a block: ```console TIER [NAME].
 */

const root = join(import.meta.dirname, '..', '..');

/** cli and sandbox run every block of theirs; the others are run by name from a spec. */
export const tiers = ['cli', 'sandbox', 'quickstart', 'node'] as const;
export type Tier = (typeof tiers)[number];

interface Step {
  readonly command: string;
  /**
   * What the page shows, without the last line feed. A line `...` stands for any number of lines.
   */
  readonly output: string;
}

export interface Transcript {
  /** Path from the root of the project. */
  readonly page: string;
  /** The block as it stands in the page, fences included. */
  readonly text: string;
  readonly tier: string;
  /** The set-up that the block needs, or what a spec calls it by. */
  readonly name: string;
  readonly steps: readonly Step[];
}

/** The pages that people write or read: README.md and docs/. */
export const pages: readonly string[] = [
  'README.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .sort()
    .map((name) => `docs/${name}`),
];

export const readPage = (page: string): string => readFileSync(join(root, page), 'utf8');

/** Splits a block at its commands. The quickstart shows commands of its own in its output. */
function stepsOf(body: string, tier: string): Step[] {
  const parts = tier === 'quickstart' ? [body] : body.split(/\n(?=\$ )/);
  return parts.map((part) => {
    const [first = '', ...output] = part.split('\n');
    return { command: first.slice(2), output: output.join('\n') };
  });
}

/** The transcripts of a page, in its order. */
export const transcriptsIn = (page: string): Transcript[] =>
  [...readPage(page).matchAll(/^```([^\n]*)\n(\$ [\s\S]*?)\n```$/gm)].map(([text, info = '', body = '']) => {
    const [, tier = '', name = ''] = info.split(' ');
    return { page, text, tier, name, steps: stepsOf(body, tier) };
  });

/** All transcripts of one tier, by page. */
export const transcriptsOf = (tier: Tier): (readonly [page: string, transcripts: readonly Transcript[]])[] =>
  pages
    .map((page) => [page, transcriptsIn(page).filter((each) => each.tier === tier)] as const)
    .filter(([, transcripts]) => transcripts.length > 0);

/** @throws when no page has a transcript of this tier and name */
export function transcript(tier: Tier, name: string): Transcript {
  const found = transcriptsOf(tier)
    .flatMap(([, transcripts]) => transcripts)
    .find((each) => each.name === name);
  if (!found) throw new Error(`no page has a transcript "${tier} ${name}"`);
  return found;
}

/**
 * Replaces what differs between two runs: places, times, keys, measurements, and progress of
 * waiting.
 */
export const normalise = (text: string): string =>
  `${text}\n`
    .replace(/^ {4}(?:waiting for|note: waiting) .*\n/gm, '')
    .replace(/\S*\/apisvc-quickstart-\w+/g, 'FOLDER')
    .replace(/\b(?:127|10)(?:\.\d{1,3}){3}(?::\d+)?/g, 'ADDRESS')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
    .replace(/\d{4}-\d\d-\d\d/g, 'DATE')
    .replace(/\b(?:[\dA-F]{2}:){7,}[\dA-F]{2}\b/g, 'FINGERPRINT')
    .replace(/\b(?:[\dA-F]{32}|[\dA-F]{8}(?= {3}))\b/g, 'SERIAL')
    .replace(/\blocalhost@\d+/g, 'localhost@NUMBER')
    .replace(/"caBundle":"[^"]+"/g, '"caBundle":"BASE64"')
    .replace(/-[\da-f]{8,10}-[\da-z]{5}\b/g, '-POD')
    .replace(/"(name|cpu|memory|oneMinute|fiveMinutes|fifteenMinutes|uptime)":"[^"]*"/g, '"$1":"MEASURED"')
    .replace(/^NAME +CPU\(cores\) .*$/gm, 'USAGE')
    .replace(/^\S+ +\d+m +\d+% +\d+Mi +\d+% *$/gm, 'NODE USAGE')
    .replace(/( (?:True|False) +)(?:\d+[hms])+$/gm, '$1AGE')
    .replace(/\bin \d+ s\b/g, 'in SECONDS s')
    // The width of a column depends on the length of an address.
    .replace(/(?<=\S) {3,}/g, '   ')
    .trim();

const linesOf = (text: string): string[] => normalise(text).split('\n');

/** The parts of a shown output around its line `...`; undefined when it has none. */
function elided(shown: string): { head: string; tail: string } | undefined {
  const [head, tail, ...more] = `\n${shown}\n`.split('\n...\n');
  if (more.length > 0) throw new Error(`two lines "..." in:\n${shown}`);
  return head === undefined || tail === undefined ? undefined : { head: head.slice(1), tail: tail.replace(/\n$/, '') };
}

const count = (text: string): number => (text === '' ? 0 : linesOf(text).length);

/** The lines of a real output that a shown one with `...` stands for. */
function abridged(real: string, { head, tail }: { head: string; tail: string }): string {
  const lines = real
    .replace(/^ {4}(?:waiting for|note: waiting) .*\n/gm, '')
    .trim()
    .split('\n');
  return [...lines.slice(0, count(head)), '...', ...(count(tail) ? lines.slice(-count(tail)) : [])].join('\n');
}

/**
 * Runs the commands of a transcript and expects the output that the page shows; with
 * APISVC_RECORD=1 it writes the real output into the page where the two differ.
 * @param run runs one command line, and returns stdout and stderr in the order of writing
 * @returns the real output of each command
 */
export async function expectTranscript(shown: Transcript, run: (command: string) => Promise<string>): Promise<readonly string[]> {
  const outputs: string[] = [];
  for (const { command } of shown.steps) outputs.push((await run(command)).trimEnd());
  const real = shown.steps.map(({ command, output }, at) => {
    const parts = elided(output);
    return { command, output: parts ? abridged(outputs[at] ?? '', parts) : (outputs[at] ?? '') };
  });
  const compared = (steps: readonly Step[]) => steps.map(({ command, output }) => `$ ${command}\n${normalise(output)}`).join('\n');
  if (process.env.APISVC_RECORD && compared(real) !== compared(shown.steps)) record(shown, real);
  else expect(compared(real)).toBe(compared(shown.steps));
  return outputs;
}

function record({ page, text, steps }: Transcript, real: readonly Step[]): void {
  const body = real.map(({ command, output }, at) => {
    const same = normalise(output) === normalise(steps[at]?.output ?? '');
    const lines = same ? (steps[at]?.output ?? '') : output;
    return lines === '' ? `$ ${command}` : `$ ${command}\n${lines}`;
  });
  const fence = text.slice(0, text.indexOf('\n'));
  writeFileSync(
    join(root, page),
    readPage(page).replace(text, () => `${fence}\n${body.join('\n')}\n\`\`\``),
  );
}
