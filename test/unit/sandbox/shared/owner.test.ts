import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { isOrphan, ownerOf, ownPrefix } from '../../../../src/sandbox/shared/owner.ts';

// Network namespaces and /proc are Linux's.
describe.runIf(process.platform === 'linux')('owner', () => {
  test('a name of a running process is not an orphan', () => {
    expect(isOrphan(`${ownPrefix()}abc`)).toBe(false);
  });

  test('a name of an ended process is an orphan', () => {
    const { pid, stdout } = spawnSync('sh', ['-c', 'read -r stat < /proc/$$/stat; echo $stat'], { encoding: 'utf8' });
    const startTime = stdout.split(' ')[21];
    expect(isOrphan(`apisvc-${pid}-${startTime}-abc`)).toBe(true);
  });

  test('a later process with the same pid is not the owner', () => {
    const [pid, startTime] = ownerOf(process.pid)?.split('-') ?? [];
    expect(isOrphan(`apisvc-${pid}-${Number(startTime) - 1}-abc`)).toBe(true);
  });

  test.each(['apisvc-1', 'apisvc-logs-x1y2z3', 'apisvc-report-1-2-3', 'other-1-2-abc', 'my-apisvc-1-2-abc'])(
    '%s is not ours to remove',
    (name) => {
      expect(isOrphan(name)).toBe(false);
    },
  );
});
