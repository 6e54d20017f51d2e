import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { anchorsIn } from '../../../src/pki/anchors.ts';
import { createAuthority } from '../../../src/pki/authority.ts';
import { issueServing } from '../../../src/pki/leaf.ts';
import { readCertificates } from '../../../src/project/certificates.ts';
import type { Disk } from '../../../src/project/disk.ts';
import {
  discardNext,
  finishPromotion,
  promoteNext,
  readNext,
  recover,
  refuseDuringRotation,
  refuseMount,
  writeNext,
} from '../../../src/project/generations.ts';
import { type CertificatesToWrite, filesOfCertificates } from '../../../src/project/project.ts';
import { day, now } from '../pki/certificates.ts';
import { contents, folder, modeOf } from './folder.ts';
import { Killed, modelDisk, type Tree } from './model-disk.ts';
import { authority, leaf, names, project, registration } from './sample.ts';

const otherCa = await createAuthority({ commonName: 'CA 2', keyType: 'ecdsa-p256', lifetimeMs: 100 * day, now });
const otherLeaf = await issueServing({ authority: otherCa, names, keyType: 'ecdsa-p256', lifetimeMs: 10 * day, now });
const renewed = await issueServing({ authority, names, keyType: 'ecdsa-p256', lifetimeMs: 10 * day, now });

const setOf = (ca: typeof authority, { certificates, key }: typeof leaf, keepCaKey = true): CertificatesToWrite => ({
  issued: { chain: certificates, key, anchors: anchorsIn(ca.certificates, 'current') },
  ...(keepCaKey ? { caKey: ca.key } : {}),
});
const old = setOf(authority, leaf);
const newLeaf = setOf(authority, renewed);
const newCa = setOf(otherCa, otherLeaf);
/** As an issuer that keeps no CA key makes it. */
const newLeafOnly = setOf(authority, renewed, false);

const withNext = (next: CertificatesToWrite = newCa): string => {
  const dir = project();
  writeNext(dir, next);
  return dir;
};
const text = (dir: string, ...path: string[]): string => readFileSync(join(dir, ...path), 'utf8');
const request = { withKey: true, now };

describe('the next set', () => {
  test('is whole, with closed keys, and the set in use stays', () => {
    const dir = project();
    const before = text(dir, 'certs', 'tls.crt');
    writeFileSync(join(dir, 'certs', '.gitignore'), '*.key\nmine\n');
    expect(readNext(dir, registration, request)).toBeUndefined();
    writeNext(dir, newCa);
    expect(contents(join(dir, 'certs', 'next'))).toEqual(['.gitignore', 'ca.crt', 'ca.key', 'tls.crt', 'tls.key']);
    expect(modeOf(join(dir, 'certs', 'next', 'tls.key'))).toBe(0o600);
    expect(text(dir, 'certs', 'next', '.gitignore')).toBe('*.key\nmine\n');
    expect(text(dir, 'certs', 'tls.crt')).toBe(before);
    expect(readNext(dir, registration, request)).toMatchObject({ chain: otherLeaf.certificates, faults: [] });
  });

  test('is never replaced by another', () => {
    const dir = withNext();
    expect(() => writeNext(dir, newLeaf)).toThrow(`a rotation is in progress: ${join(dir, 'certs', 'next')} exists`);
    expect(readNext(dir, registration, request)?.chain).toBe(otherLeaf.certificates);
    expect(() => refuseDuringRotation(dir)).toThrow('a rotation is in progress');
  });

  test('can be discarded, more than once', () => {
    const dir = withNext();
    discardNext(dir);
    discardNext(dir);
    expect(contents(dir)).toEqual(contents(project()));
    refuseDuringRotation(dir);
  });
});

describe('promoting the next set', () => {
  test('replaces the old set with its keys, and keeps other files and the mode of the directory', () => {
    const dir = project();
    writeFileSync(join(dir, 'certs', 'README'), 'mine');
    mkdirSync(join(dir, 'certs', 'mine'));
    chmodSync(join(dir, 'certs'), 0o700);
    writeNext(dir, newCa);
    promoteNext(dir);
    expect(readCertificates(dir, registration, request)).toMatchObject({ chain: otherLeaf.certificates, faults: [] });
    expect(text(dir, 'certs', 'ca.key')).toBe(otherCa.key.reveal());
    expect(contents(dir).filter((name) => !name.startsWith('.apisvc') && name !== 'apisvc.yaml')).toEqual([
      'certs',
      ...['.gitignore', 'README', 'ca.crt', 'ca.key', 'mine', 'tls.crt', 'tls.key'].map((name) => `certs/${name}`),
    ]);
    expect(modeOf(join(dir, 'certs'))).toBe(0o700);
    promoteNext(dir);
    expect(text(dir, 'certs', 'tls.crt')).toBe(otherLeaf.certificates);
  });

  test.each([
    ['keeps the key of a CA that stays', setOf(authority, renewed, false), true],
    ['deletes the key of a CA that goes', setOf(otherCa, otherLeaf, false), false],
  ])('%s', (_, next, stays) => {
    const dir = withNext(next);
    promoteNext(dir);
    expect(existsSync(join(dir, 'certs', 'ca.key'))).toBe(stays);
  });

  test('keeps the key of a CA whose certificate is renewed or has other text around it', async () => {
    const renewedCa = await createAuthority({ commonName: 'CA', keyType: 'ecdsa-p256', lifetimeMs: 200 * day, now });
    const dir = withNext(setOf(renewedCa, otherLeaf, false));
    writeFileSync(join(dir, 'certs', 'ca.key'), renewedCa.key.reveal());
    promoteNext(dir);
    expect(text(dir, 'certs', 'ca.key')).toBe(renewedCa.key.reveal());

    const edited = withNext(newLeafOnly);
    writeFileSync(join(edited, 'certs', 'ca.crt'), `The CA of demo\r\n${text(edited, 'certs', 'ca.crt').replaceAll('\n', '\r\n')}`);
    promoteNext(edited);
    expect(text(edited, 'certs', 'ca.key')).toBe(authority.key.reveal());
  });

  test('replaces the directory behind a link', () => {
    const dir = project();
    const elsewhere = join(folder(), 'vault');
    renameSync(join(dir, 'certs'), elsewhere);
    symlinkSync(elsewhere, join(dir, 'certs'));
    writeNext(dir, newLeaf);
    promoteNext(dir);
    expect(text(elsewhere, 'tls.crt')).toBe(renewed.certificates);
    expect(contents(elsewhere)).not.toContain('next');
  });

  test('is finished by recover, and readers say so until then', () => {
    const dir = withNext();
    renameSync(join(dir, 'certs', 'next'), join(dir, '.certs.new'));
    renameSync(join(dir, 'certs'), join(dir, '.certs.old'));
    expect(() => readCertificates(dir, registration, request)).toThrow('a rotation was interrupted while it replaced the directory');
    recover(dir);
    expect(readCertificates(dir, registration, request)).toMatchObject({ chain: otherLeaf.certificates, faults: [] });
  });
});

test('recover puts back the only set that is left, which another process moved away', () => {
  const dir = withNext();
  promoteNext(dir);
  renameSync(join(dir, 'certs'), join(dir, '.certs.old'));
  recover(dir);
  expect(readCertificates(dir, registration, request)).toMatchObject({ chain: otherLeaf.certificates, faults: [] });
});

test('recover deletes the keys that an interrupted discard left, which a command without the Lease leaves', () => {
  const dir = withNext();
  renameSync(join(dir, 'certs', 'next'), join(dir, 'certs', 'next.tmp'));
  finishPromotion(dir);
  expect(contents(join(dir, 'certs'))).toContain('next.tmp/ca.key');
  recover(dir);
  expect(contents(dir)).toEqual(contents(project()));
});

test.runIf(existsSync('/dev/shm'))('a mount point is refused, a directory is not', () => {
  const dir = project();
  refuseMount(dir);
  rmSync(join(dir, 'certs'), { recursive: true });
  symlinkSync('/dev/shm', join(dir, 'certs'));
  expect(() => refuseMount(dir)).toThrow('/dev/shm is a mount point, so a rotation cannot replace it');
});

describe('a crash before any operation', () => {
  const root = '/model';
  const filesAt = (at: string, set: CertificatesToWrite): [string, string][] =>
    filesOfCertificates(at, set).map((file) => [file.path, file.text]);
  const certs = `${root}/certs`;
  const start: Tree = new Map<string, string | null>([[certs, null], [`${certs}/README`, 'mine'], ...filesAt(certs, old)]);
  const withNextAt = (next: CertificatesToWrite): Tree =>
    new Map<string, string | null>([...start, [`${certs}/next`, null], ...filesAt(`${certs}/next`, next)]);

  const isSet = (tree: Tree, at: string, set: CertificatesToWrite): boolean =>
    filesAt(at, set).every(([path, found]) => tree.get(path) === found);

  /** Kills the change before each of its operations. @returns all that a later process may find */
  function crashes(from: Tree, change: (disk: Disk) => void): readonly Tree[] {
    const found: Tree[] = [];
    for (let killed = true, operations = 0; killed; operations++) {
      const model = modelDisk(root, from, operations);
      killed = isKilled(() => change(model.disk));
      found.push(model.now(), ...model.afterPowerLoss());
    }
    return distinct(found);
  }

  function isKilled(run: () => void): boolean {
    try {
      run();
      return false;
    } catch (error) {
      if (error instanceof Killed) return true;
      throw error;
    }
  }

  const distinct = (trees: readonly Tree[]): readonly Tree[] => [
    ...new Map(trees.map((tree) => [JSON.stringify([...tree].sort()), tree])).values(),
  ];

  /** What the tree becomes when a later process ends the change. */
  function following(from: Tree, change: (disk: Disk) => void): Tree {
    const model = modelDisk(root, from);
    change(model.disk);
    return model.now();
  }

  const expectWhole = (tree: Tree, sets: readonly CertificatesToWrite[]): void => {
    expect(sets.some((set) => isSet(tree, certs, set))).toBe(true);
    expect(tree.get(`${certs}/README`)).toBe('mine');
    expect([...tree.keys()].filter((path) => path.startsWith(`${root}/.certs`))).toEqual([]);
  };

  test.each([
    ['of a new leaf', newLeaf],
    ['of a new CA', newCa],
  ])('of writing the next set leaves none or a whole one, %s', (_, next) => {
    const trees = crashes(start, (disk) => writeNext(root, next, disk));
    expect(trees.length).toBeGreaterThan(40);
    for (const tree of trees) {
      expectWhole(tree, [old]);
      expect(!tree.has(`${certs}/next`) || isSet(tree, `${certs}/next`, next)).toBe(true);
      if (!tree.has(`${certs}/next`))
        expect(
          isSet(
            following(tree, (disk) => writeNext(root, next, disk)),
            `${certs}/next`,
            next,
          ),
        ).toBe(true);
    }
  });

  test('of promoting leaves a whole old or a whole new set, however often recovery is killed too', () => {
    const trees = crashes(withNextAt(newCa), (disk) => promoteNext(root, disk));
    expect(trees.length).toBeGreaterThan(25);
    const again = distinct(trees.flatMap((tree) => crashes(tree, (disk) => recover(root, disk))));
    for (const tree of [...trees, ...again]) {
      const recovered = following(tree, (disk) => recover(root, disk));
      expectWhole(recovered, [old, newCa]);
      // Nothing is lost before the new set is in use.
      expect(isSet(recovered, certs, newCa) || isSet(recovered, `${certs}/next`, newCa)).toBe(true);
      expectWhole(
        following(tree, (disk) => promoteNext(root, disk)),
        [newCa],
      );
    }
  });

  test('of discarding leaves a whole next set or none', () => {
    for (const tree of crashes(withNextAt(newCa), (disk) => discardNext(root, disk))) {
      expectWhole(tree, [old]);
      expect(!tree.has(`${certs}/next`) || isSet(tree, `${certs}/next`, newCa)).toBe(true);
      const written = following(
        following(tree, (disk) => discardNext(root, disk)),
        (disk) => writeNext(root, newLeaf, disk),
      );
      expect(isSet(written, `${certs}/next`, newLeaf)).toBe(true);
      expect([...written.keys()]).not.toContain(`${certs}/next.tmp`);
    }
  });

  interface Disturbed {
    readonly tree: Tree;
    /** Where the change failed. */
    readonly error?: Error;
  }

  /** Lets another process run before each operation of a change, which goes on afterwards. */
  function disturbed(from: Tree, change: (disk: Disk) => void, other: (disk: Disk) => void): readonly Disturbed[] {
    const found: Disturbed[] = [];
    for (let at = 0, isOver = false; !isOver; at++) {
      const model = modelDisk(root, from);
      let left = at;
      const operations = Object.entries(model.disk).map(([name, operation]) => [
        name,
        (...given: readonly unknown[]) => {
          if (left-- === 0) other(model.disk);
          return (operation as (...given: readonly unknown[]) => unknown)(...given);
        },
      ]);
      try {
        change(Object.fromEntries(operations) as Disk);
        found.push({ tree: model.now() });
      } catch (error) {
        found.push({ tree: model.now(), error: error as Error });
      }
      isOver = left >= 0;
    }
    return found;
  }

  test('of another process that only looks in leaves the next set whole, with the CA key', () => {
    const found = disturbed(
      start,
      (disk) => writeNext(root, newCa, disk),
      (disk) => finishPromotion(root, disk),
    );
    expect(found.length).toBeGreaterThan(15);
    for (const { tree, error } of found) {
      expect(error).toBeUndefined();
      expect(isSet(tree, `${certs}/next`, newCa)).toBe(true);
    }
  });

  test('never makes a set the next one that another process took apart', () => {
    const found = disturbed(
      start,
      (disk) => writeNext(root, newCa, disk),
      (disk) => recover(root, disk),
    );
    const messages = found.flatMap(({ error }) => error?.message ?? []);
    for (const message of messages) expect(message).toMatch(/another process changed|no such file/);
    expect(messages.some((message) => message.startsWith(`another process changed ${certs}/next.tmp`))).toBe(true);
    for (const { tree, error } of found) expect(isSet(tree, `${certs}/next`, newCa)).toBe(error === undefined);
  });

  const promoting = (other: (disk: Disk) => void): readonly Disturbed[] =>
    disturbed(withNextAt(newCa), (disk) => promoteNext(root, disk), other);

  test('of promoting goes on where another process finishes it meanwhile', () => {
    const found = promoting((disk) => finishPromotion(root, disk));
    expect(found.length).toBeGreaterThan(25);
    for (const { tree, error } of found) {
      expect(error).toBeUndefined();
      expectWhole(tree, [newCa]);
    }
  });

  test.each([2, 4])('of promoting loses nothing where another process is killed after %i operations of it', (operations) => {
    for (const { tree } of promoting((disk) => void isKilled(() => finishPromotion(root, killedAfter(disk, operations))))) {
      const recovered = following(tree, (disk) => recover(root, disk));
      expectWhole(recovered, [newCa]);
    }
  });

  /** Counts only what changes the disk. */
  function killedAfter(disk: Disk, operations: number): Disk {
    let left = operations;
    const counted =
      <Given extends readonly string[]>(operation: (...given: Given) => void) =>
      (...given: Given): void => {
        if (left-- === 0) throw new Killed();
        operation(...given);
      };
    const { rename, unlink, removeDirectory } = disk;
    return { ...disk, rename: counted(rename), unlink: counted(unlink), removeDirectory: counted(removeDirectory) };
  }

  test('is noticed where an fsync is missing', () => {
    const careless = (disk: Disk): Disk => ({ ...disk, syncDirectory: () => undefined });
    const trees = crashes(withNextAt(newCa), (disk) => promoteNext(root, careless(disk)));
    const broken = trees.filter((tree) => {
      const recovered = following(tree, (disk) => recover(root, disk));
      return !isSet(recovered, certs, old) && !isSet(recovered, certs, newCa);
    });
    expect(broken.length).toBeGreaterThan(0);
  });
});
