import { describe, expect, test } from 'vitest';
import type { Disk } from '../../../src/project/disk.ts';
import { discardNext, finishPromotion, promoteNext, recover, writeNext } from '../../../src/project/generations.ts';
import { type CertificatesToWrite, filesOfCertificates } from '../../../src/project/project.ts';
import { newCa, newLeaf, old } from './certificate-sets.ts';
import { Killed, modelDisk, type Tree } from './model-disk.ts';

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
