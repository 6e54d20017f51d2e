import { expect, test } from 'vitest';
import { redacted } from '../../../src/config/redact.ts';
import { viewAnswer } from '../../../src/snapshot/collect/requests.ts';
import { viewEvents, viewPod } from '../../../src/snapshot/pod-view.ts';

test.each([
  ['Authorization: Bearer eyJh.bGci-Oi_J.x==, next', 'Authorization: Bearer (hidden), next'],
  ['"authorization":["bearer abc"]', '"authorization":["bearer (hidden)"]'],
  ['dial postgres://user:p:ss@db:5432/x?a=b', 'dial postgres://db:5432/x?a=b'],
  ['redis://:secret@db', 'redis://db'],
  ['git clone https://a-token@example.com/x', 'git clone https://example.com/x'],
  ['proxy "http://me:s3cr/e@t@proxy:3128", a@b', 'proxy "http://proxy:3128", a@b'],
  ['https://[::1]:6443/apis?user=a@b', 'https://[::1]:6443/apis?user=a@b'],
  ['invalid bearer token, it has expired', 'invalid bearer token, it has expired'],
  ['Get "https://10.0.0.1:443/apis?user=a@b": EOF', 'Get "https://10.0.0.1:443/apis?user=a@b": EOF'],
])('%s', (text, expected) => {
  expect(redacted(text)).toBe(expected);
});

const said = 'Bearer abc123 at https://me:pass@db';
const kept = 'Bearer (hidden) at https://db';

test('events, containers and error bodies are recorded without credentials', () => {
  const events = [{ kind: 'Event', type: 'Warning', reason: 'Failed', message: said, metadata: { name: 'a' } }];
  expect(viewEvents(events as never)).toEqual([{ reason: 'Failed', message: kept }]);
  const statuses = [
    { name: 'a', state: { waiting: { reason: 'ErrImagePull', message: said } } },
    { name: 'b', state: { terminated: { exitCode: 1, reason: 'Error', message: `${said}\n` } } },
  ];
  const { containers } = viewPod({ metadata: { name: 'p' }, status: { containerStatuses: statuses } } as never);
  expect(containers.map(({ state }) => 'message' in state && state.message)).toEqual([kept, kept]);
  expect(viewAnswer('/', { status: 500, body: said } as never).body).toBe(kept);
});
