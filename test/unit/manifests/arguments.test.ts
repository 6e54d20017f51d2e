import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { changeArguments } from '../../../src/manifests/arguments.ts';

const changed = (present: readonly string[], changes: Partial<Parameters<typeof changeArguments>[1]>) =>
  changeArguments(present, { replace: [], add: [], set: [], ...changes });

describe('replace', () => {
  test.each([
    ['a value after =', ['--a', '--v=2', '--b'], ['--v=4'], ['--a', '--v=4', '--b']],
    ['a value in the next argument, in the same form', ['--v', '2', '--b'], ['--v=4'], ['--v', '4', '--b']],
    ['a flag with one dash', ['-v=2'], ['--v=4'], ['--v=4']],
    ['a switch, which has no value', ['--dry', '--b'], ['--dry=false'], ['--dry=false', '--b']],
    ['each of several, at the place of the first', ['--g=A', '--b', '--g=B'], ['--g=C', '--g=D'], ['--g=C', '--g=D', '--b']],
    ['a flag that does not exist, by appending it', ['--a'], ['--v=4'], ['--a', '--v=4']],
    ['a value with = and line ends', ['--c=a=b\nc'], ['--c=d=e'], ['--c=d=e']],
    ['not a flag whose name only begins alike', ['--v-module=x=1'], ['--v=4'], ['--v-module=x=1', '--v=4']],
  ])('%s', (_, present, replace, expected) => {
    expect(changed(present, { replace })).toEqual(expected);
  });
});

describe('add', () => {
  test.each([
    ['appends', ['serve', '--a'], ['--b=1', '--c'], ['serve', '--a', '--b=1', '--c']],
    ['keeps what exists', ['--b=1', '--a'], ['--b=1', '--c'], ['--b=1', '--a', '--c']],
    ['knows the other form', ['--b', '1'], ['--b=1'], ['--b', '1']],
    ['appends another value', ['--b=1'], ['--b=2'], ['--b=1', '--b=2']],
    ['takes words that are not flags', ['serve'], ['serve', 'more'], ['serve', 'more']],
  ])('%s', (_, present, add, expected) => {
    expect(changed(present, { add })).toEqual(expected);
  });
});

describe('certificate flags', () => {
  const set = ['--tls-cert-file=/c/tls.crt', '--tls-private-key-file=/c/tls.key'];

  test.each([
    ['are appended', ['--a'], ['--a', ...set]],
    ['replace others, in the form that the registration asks for', ['--tls-cert-file', '/x/y', '--a'], [set[0], '--a', set[1]]],
    ['stay where they are', [...set, '--a'], [...set, '--a']],
  ])('%s', (_, present, expected) => {
    expect(changed(present, { set })).toEqual(expected);
  });

  test('can be two arguments each', () => {
    const separate = ['--tls-cert-file', '/c/tls.crt', '--tls-private-key-file', '/c/tls.key'];
    expect(changed(['--tls-cert-file=/x/y', '--a'], { set: separate })).toEqual([...separate.slice(0, 2), '--a', ...separate.slice(2)]);
  });
});

test('nothing to change leaves every list as it is', () => {
  fc.assert(fc.property(fc.array(fc.string()), (present) => void expect(changed(present, {})).toEqual(present)));
});

test('the same changes change nothing the second time', () => {
  const flag = fc.constantFrom('--a', '--b', '-a', 'word', '--tls-cert-file');
  const setting = fc.tuple(fc.constantFrom('--a', '--b', '--c'), fc.constantFrom('1', 'x=y', '')).map((pair) => pair.join('='));
  const lists = fc.record({
    present: fc.array(fc.oneof(flag, setting)),
    replace: fc.array(setting),
    add: fc.array(setting),
    set: fc.constantFrom([], ['--tls-cert-file=/c'], ['--tls-cert-file', '/c']),
  });
  fc.assert(
    fc.property(lists, ({ present, ...changes }) => {
      const once = changeArguments(present, changes);
      fc.pre(changes.add.every((added) => !changes.replace.some((replaced) => replaced.split('=')[0] === added.split('=')[0])));
      expect(changeArguments(once, changes)).toEqual(once);
    }),
  );
});
