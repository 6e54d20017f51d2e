import { lstatSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fileError } from '../../../src/config/file-errors.ts';
import { ApisvcError, Exit } from '../../../src/errors.ts';
import { type FileToWrite, saveFile, writeFiles } from '../../../src/project/files.ts';
import { contents, folder, modeOf } from './folder.ts';

const open = (path: string, text = 'new\n'): FileToWrite => ({ path, text, mode: 0o644 });
const secret = (path: string, text = 'new\n'): FileToWrite => ({ path, text, mode: 0o600 });

const failure = (run: () => void): ApisvcError => {
  try {
    run();
  } catch (error) {
    if (error instanceof ApisvcError) return error;
    throw error;
  }
  throw new Error('nothing failed');
};

describe('modes', () => {
  let before: number;
  beforeEach(() => {
    before = process.umask(0);
  });
  afterEach(() => process.umask(before));

  test('a secret is 0600 whatever the umask, also where a wider file was', () => {
    const dir = folder();
    writeFileSync(join(dir, 'b.key'), 'old', { mode: 0o666 });
    writeFiles([secret(join(dir, 'a.key')), secret(join(dir, 'b.key')), open(join(dir, 'c.crt'))]);
    expect([modeOf(join(dir, 'a.key')), modeOf(join(dir, 'b.key')), modeOf(join(dir, 'c.crt'))]).toEqual([0o600, 0o600, 0o644]);
  });
});

test('makes directories, replaces existing files, leaves nothing else', () => {
  const dir = folder();
  writeFileSync(join(dir, 'old'), 'old');
  writeFiles([open(join(dir, 'old')), open(join(dir, 'a', 'b', 'c'), 'text')]);
  expect(contents(dir)).toEqual(['a', 'a/b', 'a/b/c', 'old']);
  expect(readFileSync(join(dir, 'old'), 'utf8')).toBe('new\n');
  expect(readFileSync(join(dir, 'a/b/c'), 'utf8')).toBe('text');
});

test('a text larger than one write arrives whole', () => {
  const text = 'äöü€'.repeat(1_000_000);
  const path = join(folder(), 'large');
  writeFiles([open(path, text)]);
  expect(readFileSync(path, 'utf8')).toBe(text);
});

describe('all or none', () => {
  test('when a part of a later path is a file', () => {
    const dir = folder();
    writeFileSync(join(dir, 'file'), 'old');
    const error = failure(() => writeFiles([open(join(dir, 'made', 'one')), open(join(dir, 'file')), open(join(dir, 'file', 'two'))]));
    expect(error.message).toBe(`failed to write ${join(dir, 'file', 'two')}: not a directory`);
    expect(error.exitCode).toBe(Exit.usage);
    expect(contents(dir)).toEqual(['file']);
    expect(readFileSync(join(dir, 'file'), 'utf8')).toBe('old');
  });

  test('when a directory has the name of a later file', () => {
    const dir = folder();
    writeFileSync(join(dir, 'one'), 'old');
    mkdirSync(join(dir, 'two'));
    const error = failure(() => writeFiles([open(join(dir, 'one')), open(join(dir, 'two'))]));
    expect(error.message).toBe(`failed to write ${join(dir, 'two')}: it is a directory`);
    expect(readFileSync(join(dir, 'one'), 'utf8')).toBe('old');
    expect(contents(dir)).toEqual(['one', 'two']);
  });

  test('when a name is too long', () => {
    const dir = folder();
    expect(failure(() => writeFiles([open(join(dir, 'one')), open(join(dir, 'x'.repeat(300)))])).message).toMatch(
      /^failed to write \S+: file name too long$/,
    );
    expect(contents(dir)).toEqual([]);
  });

  test('when another process has created a new file, whose directories stay', () => {
    const dir = folder();
    writeFiles([{ ...open(join(dir, 'made', 'one'), 'first'), isNew: true }]);
    const second = [{ ...open(join(dir, 'made', 'one')), isNew: true }, open(join(dir, 'made', 'new', 'two'))];
    const error = failure(() => writeFiles(second));
    expect(error.message).toBe(`${join(dir, 'made', 'one')} was created by another process in the meantime\nno file was written`);
    expect(error.exitCode).toBe(Exit.findings);
    expect(contents(dir)).toEqual(['made', 'made/one']);
    expect(readFileSync(join(dir, 'made', 'one'), 'utf8')).toBe('first');
  });

  test('unless only a link to nothing is there, which is replaced', () => {
    const path = join(folder(), 'one');
    symlinkSync('/nonexistent/one', path);
    writeFiles([{ ...open(path), isNew: true }]);
    expect(lstatSync(path).isFile()).toBe(true);
    expect(readFileSync(path, 'utf8')).toBe('new\n');
  });

  test('a directory that was there stays, one that was made goes', () => {
    const dir = folder();
    mkdirSync(join(dir, 'certs'));
    writeFileSync(join(dir, 'in-the-way'), '');
    failure(() => writeFiles([open(join(dir, 'certs', 'a')), open(join(dir, 'new', 'deep', 'b')), open(join(dir, 'in-the-way', 'c'))]));
    expect(contents(dir)).toEqual(['certs', 'in-the-way']);
  });
});

test('a link in the place of a file is not followed', () => {
  const dir = folder();
  writeFileSync(join(dir, 'elsewhere'), 'theirs');
  symlinkSync(join(dir, 'elsewhere'), join(dir, 'tls.key'));
  writeFiles([secret(join(dir, 'tls.key'))]);
  expect(readFileSync(join(dir, 'elsewhere'), 'utf8')).toBe('theirs');
  expect(modeOf(join(dir, 'tls.key'))).toBe(0o600);
});

test.each([
  ['ENOSPC', 'no space left on the device'],
  ['EROFS', 'the file system is read-only'],
  ['EACCES', 'permission denied'],
  ['EWEIRD', 'weird'],
])('%s in plain words', (code, words) => {
  expect(fileError('write', 'a', Object.assign(new Error('weird'), { code })).message).toBe(`failed to write a: ${words}`);
});

describe('a file that the user named', () => {
  test('is written through symbolic links, as with >', () => {
    const dir = folder();
    writeFileSync(join(dir, 'there'), 'old');
    symlinkSync('there', join(dir, 'link'));
    symlinkSync('later', join(dir, 'dangling'));
    saveFile(secret(join(dir, 'link')));
    saveFile(secret(join(dir, 'dangling')));
    expect([lstatSync(join(dir, 'link')).isSymbolicLink(), readFileSync(join(dir, 'there'), 'utf8')]).toEqual([true, 'new\n']);
    expect([modeOf(join(dir, 'there')), readFileSync(join(dir, 'later'), 'utf8')]).toEqual([0o600, 'new\n']);
  });

  test('is not put in the place of a device', () => {
    saveFile(secret('/dev/null'));
    expect(lstatSync('/dev/null').isCharacterDevice()).toBe(true);
    expect(failure(() => saveFile(secret('/dev/full'))).message).toBe('failed to write /dev/full: no space left on the device');
    expect(lstatSync('/dev/full').isCharacterDevice()).toBe(true);
  });

  test('needs its directory, and is no directory itself', () => {
    const dir = folder();
    expect(failure(() => saveFile(secret(join(dir, 'a', 'b')))).message).toBe(`directory ${join(dir, 'a')} does not exist`);
    expect(failure(() => saveFile(secret(dir))).message).toContain('it is a directory');
    expect(contents(dir)).toEqual([]);
  });
});
