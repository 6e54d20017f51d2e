import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ApiSnapshot, PodView, Snapshot } from '../../../src/verify/types.ts';

const notLooked = { state: 'unseen', reason: 'skipped', words: 'nobody looked at it when this was recorded' } as const;

/** What the older recordings do not have. */
const since = {
  group: notLooked,
  openApi: notLooked,
  serviceProxy: notLooked,
  asUser: notLooked,
  anonymous: notLooked,
  forged: notLooked,
  server: notLooked,
  secret: notLooked,
  requestHeader: notLooked,
  delegation: notLooked,
  neighbours: notLooked,
  customResources: notLooked,
  listed: notLooked,
};

function complete(api: ApiSnapshot): ApiSnapshot {
  const { apiService } = api;
  const priorities = { groupPriorityMinimum: 1000, versionPriority: 15 };
  return {
    ...since,
    ...api,
    apiService: apiService.state === 'seen' ? { state: 'seen', value: { ...priorities, ...apiService.value } } : apiService,
  };
}

/** Snapshots that were taken of a real cluster. @param name of a file in test/fixtures/snapshots, without its ending */
export function recorded(name: string): Snapshot {
  const file = join(import.meta.dirname, '..', '..', 'fixtures', 'snapshots', `${name}.json`);
  const snapshot = JSON.parse(readFileSync(file, 'utf8')) as Snapshot;
  return { ...snapshot, apis: snapshot.apis.map(complete) };
}

/** The pods of a recorded snapshot. */
export function recordedPods(name: string): readonly PodView[] {
  const { pods } = recorded(name).apis[0] as ApiSnapshot;
  if (pods.state !== 'seen') throw new Error(`${name} has no pods`);
  return pods.value;
}
