import { Command } from 'commander';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { answerText } from '../../../src/cli/completion/answer.ts';
import { completionsAt } from '../../../src/cli/completion/completions.ts';
import { optionsOf, positionOf, subcommandsOf } from '../../../src/cli/completion/position.ts';
import { addCommands } from '../../../src/cli/declarations.ts';
import type { Candidate } from '../../../src/commands/complete-names.ts';
import { presetNames } from '../../../src/config/presets.ts';
import { formatsOf } from '../../../src/report/formats.ts';
import { commandNames as names } from '../command-names.ts';

/** The real commands, in a program with two global options. */
const program = new Command('apisvc')
  .option('-q, --quiet', 'no progress')
  .option('--no-color', 'no colours')
  .configureHelp({ showGlobalOptions: true });
addCommands(program, () => async () => {});

const at = (...words: readonly string[]) => {
  const position = positionOf(program, words);
  const completions = completionsAt(program, position);
  return typeof completions === 'string'
    ? completions
    : completions.map(({ value }) => value).filter((value) => value.startsWith(position.typed));
};

describe('commands', () => {
  test('first, also after global options', () => {
    expect(at('')).toEqual([...names, 'help']);
    expect(at()).toEqual([...names, 'help']);
    expect(at('-q', '--no-color', 'ver')).toEqual(['verify']);
    expect(at('help', 're')).toEqual(['render', 'register']);
  });

  test('an unknown command has no completions', () => {
    expect(at('verfy', '')).toEqual([]);
    expect(at('verfy', '--')).toEqual([]);
  });
});

describe('options', () => {
  test('of the command and global ones, short and long', () => {
    expect(at('explain', '-')).toEqual(['--help', '-h', '--quiet', '-q', '--no-color']);
    expect(at('verify', '--as')).toEqual(['--as', '--as-group', '--as-user']);
    expect(at('--n')).toEqual(['--no-color']);
  });

  test('not twice, unless repeatable', () => {
    expect(at('verify', '--context', 'a', '--con')).toEqual(['--context']);
    expect(at('register', '--context', 'a', '--con')).toEqual([]);
    expect(at('init', '--api', 'g/v1', '--ap')).toEqual(['--api']);
    expect(at('init', '-y', '--y')).toEqual([]);
  });

  test('none after --', () => {
    expect(at('verify', '--', '-')).toBe('apiServices');
    expect(at('explain', '--', '')).toBe('codes');
  });
});

describe('values', () => {
  test.each([
    [['-o', ''], formatsOf('verify')],
    [
      ['--output', 'j'],
      ['json', 'junit'],
    ],
    [['--output=s'], ['short', 'sarif']],
    [['-ot'], []],
    [['--context', ''], 'contexts'],
    [['--context=k'], 'contexts'],
    [['--save', ''], 'files'],
    [['--kubeconfig=x'], 'files'],
    [['-C', ''], 'directories'],
    [['--timeout', ''], []],
    [['--as', ''], []],
    [[''], 'apiServices'],
    [['v1.a', 'v1.b', ''], 'apiServices'],
    [['--all', '-o', 'wide', ''], 'apiServices'],
    [['--save', '-o', ''], 'apiServices'],
    [['--unknown', ''], 'apiServices'],
    [['--unknown='], []],
  ] as const)('verify %j', (words, completions) => {
    expect(at('verify', ...words)).toEqual(completions);
  });

  test('of arguments', () => {
    expect(at('completion', '')).toEqual(['bash', 'zsh', 'fish']);
    expect(at('completion', 'bash', '')).toEqual([]);
    expect(at('init', '')).toBe('directories');
    expect(at('init', '--from-cluster', '')).toBe('apiServices');
    expect(at('init', '--from-cluster=v1')).toBe('apiServices');
    expect(at('init', '--context', '')).toBe('contexts');
    expect(at('lint', 'a.yaml', '')).toBe('files');
    expect(at('explain', 'cert/')).toBe('codes');
    expect(at('explain', 'cert', '')).toEqual([]);
    expect(at('render', '')).toEqual([]);
    expect(at('sandbox', '')).toBe('files');
    expect(at('sandbox', '--once', '--', '')).toBe('files');
    expect(at('sandbox', '--assets', '')).toBe('directories');
    expect(at('register', '--keys', '')).toBe('directories');
    expect(at('rotate', '--keys', '')).toBe('directories');
  });

  test('after combined short options', () => {
    expect(at('init', '-yp', '')).toEqual(presetNames);
    expect(at('init', '-pkeda', '')).toBe('directories');
  });
});

test('every option and choice completes from every prefix', () => {
  for (const command of subcommandsOf(program)) {
    for (const { long, argChoices } of optionsOf(command)) {
      if (long == null) continue;
      for (let length = 2; length <= long.length; length++) expect(at(command.name(), long.slice(0, length))).toContain(long);
      if (argChoices) expect(at(command.name(), `${long}=`)).toEqual(argChoices);
    }
  }
});

test('no command line throws', () => {
  const word = fc.oneof(fc.constantFrom('', '-', '--', '--output=', '-C', '-o', ...names), fc.string());
  fc.assert(
    fc.property(fc.array(word), (words) => {
      const completions = at(...words);
      expect(typeof completions === 'string' || Array.isArray(completions)).toBe(true);
    }),
  );
});

describe('the answer to the shell', () => {
  const one = (value: string, description = ''): Candidate => ({ value, description });

  test('candidates with descriptions, and a directive', () => {
    expect(answerText([one('json'), one('junit', 'for CI'), one('yaml')], 'j', 'nothing')).toBe('json\njunit\tfor CI\n:4\n');
    expect(answerText([], '', 'files')).toBe(':0\n');
    expect(answerText([], '', 'directories')).toBe(':16\n');
  });

  test('untrusted names and descriptions become lines of printable text', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('a\tb', 'a\nb', '\u001b[2J', '\u202e', '\u0085'));
    fc.assert(
      fc.property(fc.array(fc.record({ value: text, description: text }), { maxLength: 3 }), (candidates) => {
        const lines = answerText(candidates, '', 'nothing').split('\n');
        expect(lines.splice(-2)).toEqual([':4', '']);
        expect(lines.length).toBeLessThanOrEqual(candidates.length);
        const hidden = '\\p{Cc}\\u200b-\\u200f\\u202a-\\u202e';
        expect(lines.filter((line) => !new RegExp(`^[^${hidden}]+(\t[^${hidden}]+)?$`, 'u').test(line))).toEqual([]);
      }),
    );
  });
});
