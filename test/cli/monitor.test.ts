import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { apisvc } from './apisvc.ts';
import { startApisvc } from './running.ts';

const kubeconfig = (cluster: object | undefined): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: cluster ? [{ name: 'down', cluster }] : [],
    contexts: [
      { name: 'down', context: { cluster: 'down', user: '' } },
      { name: 'lost', context: { cluster: 'gone', user: '' } },
    ],
    users: [],
  });

test('the flags of kubectl are not set if they are empty; an interval without a unit is an error', async () => {
  const cwd = mkdtempSync(join(tmpdir(), 'apisvc-monitor-'));
  onTestFinished(() => rmSync(cwd, { recursive: true }));
  const file = join(cwd, 'kubeconfig');
  // The name of the context must not control the terminal.
  const context = { name: 'do\u001b[31mwn', context: { cluster: 'down', user: '' } };
  const found = JSON.parse(kubeconfig({ server: 'https://127.0.0.1:1' }));
  writeFileSync(file, JSON.stringify({ ...found, contexts: [context], 'current-context': context.name }));
  const env = { KUBECONFIG: file };
  for (const command of [['monitor'], ['status', 'v1.example.com']]) {
    const args = [...command, '--kubeconfig', '', '--context', '', '--as', '', '--as-group', 'admins'];
    expect(await apisvc(args, { cwd, env })).toMatchObject({ code: 2, stderr: 'error: --as-group needs --as\nfix: Add --as USER.\n' });
  }
  const { running, said } = startApisvc(
    ['monitor', '--kubeconfig', '', '--context', '', '--as', '', '--listen', '127.0.0.1:0', '--interval', '90m'],
    { cwd, env },
  );
  await vi.waitFor(() => expect(said()).toMatch(/^serving on 127\.0\.0\.1:\d+, verifying every 1h30m: do\\x1b\[31mwn\n/), {
    timeout: 20_000,
  });
  running.kill('SIGTERM');
  expect(await running).toMatchObject({ exitCode: 0 });
  const faults = {
    '5': 'It has no unit; write 5s, 5m or 5h.',
    '1': 'It has no unit; write 1m, 1h or 1d.',
    '90000': 'It must be between 5s and 24h.',
    '30d': 'It must be between 5s and 24h.',
  };
  for (const [interval, fault] of Object.entries(faults))
    expect(await apisvc(['monitor', '--interval', interval], { cwd, env })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(fault),
    });
});

test('a context of a pattern that cannot be used does not end the monitor of the others', async () => {
  const cwd = mkdtempSync(join(tmpdir(), 'apisvc-monitor-'));
  onTestFinished(() => rmSync(cwd, { recursive: true }));
  const file = join(cwd, 'kubeconfig');
  const flags = ['monitor', '--kubeconfig', file, '--context', '*', '--listen', '127.0.0.1:0'];
  writeFileSync(file, kubeconfig(undefined));
  expect(await apisvc(flags, { cwd })).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('error: cluster "down" of context "down" not found'),
  });

  writeFileSync(file, kubeconfig({ server: 'https://127.0.0.1:1' }));
  expect(await apisvc([...flags, '--interval', '25h'], { cwd })).toMatchObject({ code: 2, stderr: expect.stringContaining('24h') });
  const { running, said } = startApisvc([...flags, '--interval', '24h'], { cwd });
  await vi.waitFor(
    () => {
      expect(said()).toContain(' down: run failed: failed to connect to the cluster');
      expect(said()).toContain(' lost: run failed: cluster "gone" of context "lost" not found');
    },
    { timeout: 20_000 },
  );
  running.kill('SIGHUP');
  expect(await running).toMatchObject({ exitCode: 0 });
  expect(said()).not.toContain('Warning');
});
