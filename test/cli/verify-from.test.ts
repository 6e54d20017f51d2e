import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { snapshotJson } from '../../src/report/json.ts';
import type { Snapshot } from '../../src/snapshot/types.ts';
import { answers, healthy, seen, snapshotOf, unavailable, unseen } from '../unit/diagnosis/snapshots.ts';
import { folder } from '../unit/project/folder.ts';
import { apisvc, shell } from './apisvc.ts';
import { schemaErrors } from './schema-errors.ts';

const bad = { ...healthy, name: 'v1.broken.example.com', apiService: seen(unavailable('no')), aggregated: answers(503, 'no\u001b[2J') };
const dark = { ...healthy, apiService: unseen(), aggregated: unseen(), probes: unseen() };

function kept(snapshot: Snapshot): { cwd: string; input: string } {
  return { cwd: folder(), input: snapshotJson(snapshot) };
}

describe('verify --from', () => {
  test.each([
    ['healthy', snapshotOf(healthy), 0],
    ['broken', snapshotOf(healthy, bad), 1],
    ['unknown', snapshotOf(dark), 3],
  ])('%s', async (verdict, snapshot, wanted) => {
    const { code, stdout, stderr } = await apisvc(['verify', '--from', '-', '-o', 'json'], kept(snapshot));
    expect({ code, stderr }).toEqual({ code: wanted, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({ verdict });
    expect(schemaErrors('diagnosis', stdout)).toEqual([]);
  });

  test('--fail-if-expires-within fails if a certificate expires soon, or was not seen', async () => {
    const args = ['verify', '--from', '-', '--fail-if-expires-within'];
    expect(await apisvc([...args, '10d'], kept(snapshotOf(healthy)))).toMatchObject({ code: 0, stderr: '' });
    const soon = await apisvc([...args, '400d'], kept(snapshotOf(healthy)));
    expect(soon).toMatchObject({ code: 1, stderr: '', stdout: expect.stringMatching(/\n {2}error cert\/expires-soon: /) });
    expect(soon.stdout).toMatch(/\nfailed: certificates that expire soon in \S+ \(--fail-if-expires-within\)\n$/);
    const unseenOne = await apisvc([...args, '10d', '-o', 'short'], kept(snapshotOf({ ...healthy, probes: unseen() })));
    expect(unseenOne).toMatchObject({ code: 3, stderr: '', stdout: expect.stringContaining(`${healthy.name} unknown`) });
  });

  test('a flag of kubectl whose value is empty is not set', async () => {
    const args = ['verify', '--from', '-', '--kubeconfig', '', '--as', '', '--context'];
    expect(await apisvc([...args, ''], kept(snapshotOf(healthy)))).toMatchObject({ code: 0, stderr: '' });
    expect(await apisvc([...args, 'a'], kept(snapshotOf(healthy)))).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("cannot be used with option '--context <context>'"),
    });
  });

  test('a name that looks like a flag is refused', async () => {
    const { code, stderr } = await apisvc(['verify', '--from', '-'], kept(snapshotOf({ ...healthy, name: '--all' })));
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(/^error: - is not a snapshot: apis\[0\]\.name: /) });
  });

  test.each([
    ['wide', /^NAME +SERVICE +AVAILABLE/],
    ['short', /^✓ \S+ healthy/],
    ['yaml', /^apiVersion: apisvc\.dev\/diagnosis\/v1alpha1\n/],
    ['junit', /^<\?xml /],
    ['sarif', /"version": "2\.1\.0"/],
    ['github', /::error /],
    ['html', /^<!doctype html>/i],
    ['text', /\n2 APIs: 1 healthy, 1 broken\n\nfailed: errors in 1 of 2 APIs\n$/],
  ])('-o %s', async (format, expected) => {
    const { code, stdout } = await apisvc(['verify', '--from', '-', '-o', format], kept(snapshotOf(healthy, bad)));
    expect(code).toBe(1);
    expect(stdout).toMatch(expected);
    expect(stdout).not.toContain('\u001b');
  });

  test('-o github appends its summary to GITHUB_STEP_SUMMARY', async () => {
    const { cwd, input } = kept(snapshotOf(bad));
    const file = join(cwd, 'summary');
    writeFileSync(file, 'before\n');
    await apisvc(['verify', '--from', '-', '-o', 'github'], { cwd, input, env: { GITHUB_STEP_SUMMARY: file } });
    expect(readFileSync(file, 'utf8')).toMatch(/^before\n[\s\S]*v1\.broken\.example\.com/);
    const failed = await apisvc(['verify', '--from', '-', '-o', 'github'], { cwd, input, env: { GITHUB_STEP_SUMMARY: cwd } });
    expect(failed).toMatchObject({
      code: 2,
      stdout: `::error title=apisvc verify::failed to write ${cwd}: it is a directory%0Afix: Set GITHUB_STEP_SUMMARY to a writable file.\n`,
      stderr: `error: failed to write ${cwd}: it is a directory\nfix: Set GITHUB_STEP_SUMMARY to a writable file.\n`,
    });
  });

  test('names select APIServices', async () => {
    const given = kept(snapshotOf(healthy, bad));
    expect((await apisvc(['verify', '--from', '-', '-o', 'short', healthy.name], given)).stdout).toBe(`✓ ${healthy.name} healthy\n`);
    expect(await apisvc(['verify', '--from', '-', 'v1.other'], given)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('error: no APIService v1.other on standard input\n'),
    });
  });

  test.each(['', '{', '[]', '{"apiVersion":"x"}', '\u0000\u001b[2J', '{"apiVersion":"apisvc.dev/snapshot/v1alpha1","apis":[{}]}'])(
    'an invalid snapshot is an error of one line: %j',
    async (input) => {
      const { code, stdout, stderr } = await apisvc(['verify', '--from', '-'], { cwd: folder(), input });
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toMatch(/^error: - is not a snapshot[^\n]*\nfix: [^\n]+\n$/);
      expect(stderr).not.toContain('\u001b');
    },
  );

  test('a closed pipe is silent, and does not change the exit code', async () => {
    const cwd = folder();
    writeFileSync(join(cwd, 's.json'), snapshotJson(snapshotOf(bad)));
    const { stderr } = await shell('{ sleep 0.2; "$apisvc" verify --from s.json; echo "code $?" >&2; } | true', cwd);
    expect(stderr).toBe('code 1\n');
  });
});
