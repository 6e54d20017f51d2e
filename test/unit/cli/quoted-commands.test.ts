import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CommanderError } from 'commander';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { pages } from '../../docs/transcripts.ts';
import { type Quoted, quotedInPage, quotedInSource, wordsOf } from './quoted-commands.ts';

/** Whatever we tell people to run must exist, with the flags that we name. */

// The build sets it.
vi.stubGlobal('APISVC_VERSION', '0.0.0');
const { makeProgram } = await import('../../../src/cli/program.ts');
afterAll(() => void vi.unstubAllGlobals());

const root = join(import.meta.dirname, '..', '..', '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .map((path) => `src/${path}`);

/** Parses a command with the real program, without running it. @returns why it is wrong */
async function faultOf({ command }: Quoted): Promise<string | undefined> {
  const program = makeProgram(new AbortController().signal, () => {});
  const silent = { writeErr: () => {}, writeOut: () => {} };
  program.configureOutput(silent);
  for (const each of program.commands) each.configureOutput(silent).action(() => {});
  try {
    await program.parseAsync(wordsOf(command), { from: 'user' });
    return undefined;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return isNamed(error) ? undefined : `apisvc ${command}: ${error.message}`;
  }
}

/** A text may name a command without its arguments, and stand for a value with its name: `TYPE`. */
const isNamed = ({ code, message, exitCode }: CommanderError): boolean =>
  exitCode === 0 ||
  /missing(?:Mandatory|Option)?Argument$|optionMissingArgument$/.test(code) ||
  /argument '[A-Z]+' is invalid/.test(message);

async function faultsOf(quoted: readonly Quoted[]): Promise<string[]> {
  const found: string[] = [];
  for (const each of quoted) {
    const fault = await faultOf(each);
    if (fault !== undefined) found.push(`${each.where}: ${fault}`);
  }
  return found;
}

describe('every quoted command exists, with its flags', () => {
  test('in messages and fixes', async () => {
    const quoted = sources.flatMap((path) => quotedInSource(path, read(path)));
    expect(quoted.length).toBeGreaterThan(100);
    expect(await faultsOf(quoted)).toEqual([]);
  });

  test('in README.md and docs/', async () => {
    const quoted = [...pages, 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md'].flatMap((path) => quotedInPage(path, read(path)));
    expect(quoted.length).toBeGreaterThan(100);
    expect(await faultsOf(quoted)).toEqual([]);
  });

  test.each([
    ["fix: 'See all of them: apisvc status --all'", 'status --all', /unknown option '--all'/],
    [`fix: \`Roll back: apisvc rotate\${kind === 'ca' ? ' --old-ca' : ''}\``, 'rotate --old-ca', /unknown option '--old-ca'/],
    [`fix: \`Restore it: apisvc restore -C \${dir}\``, 'restore -C X', /unknown command 'restore'/],
  ])('and a wrong one is found: %s', async (source, command, fault) => {
    const [quoted] = quotedInSource('x.ts', source);
    expect(quoted).toEqual({ where: 'x.ts', command });
    expect(await faultOf(quoted as Quoted)).toMatch(fault);
  });
});
