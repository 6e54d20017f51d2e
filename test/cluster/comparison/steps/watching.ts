import type { Step } from '../step.ts';
import { collection } from './config-maps.ts';
import { selected, selecting, versionOf } from './selecting.ts';

/** Watches from different versions. */

export const watching: readonly Step[] = [
  selecting('watch', async ({ admin, create, name }, path) => {
    const version = await versionOf(admin, path);
    const object = `${collection}/${name}-d`;
    return admin.watch(`${path}&watch=true&resourceVersion=${version}`, 5, async () => {
      await create(selected(name, 'd'));
      await admin.ask('PATCH', object, { body: { data: { a: '2' } }, contentType: 'application/merge-patch+json' });
      // It leaves the selection, changes, and comes back.
      await admin.ask('PATCH', object, { body: { metadata: { labels: { of: null } } }, contentType: 'application/merge-patch+json' });
      await admin.ask('PATCH', object, { body: { data: { a: '3' } }, contentType: 'application/merge-patch+json' });
      await admin.ask('PATCH', object, { body: { metadata: { labels: { of: name } } }, contentType: 'application/merge-patch+json' });
      await admin.ask('DELETE', object);
    });
  }),
  selecting('watch-from-the-beginning', async ({ admin }, path) => admin.watch(`${path}&watch=true&resourceVersion=0`, 3)),
  selecting('watch-without-version', async ({ admin }, path) => admin.watch(`${path}&watch=1`, 3)),
  selecting('watch-from-then', async ({ admin, name }, path) => {
    const version = await versionOf(admin, path);
    await admin.ask('DELETE', `${collection}/${name}-a`);
    await admin.ask('DELETE', `${collection}/${name}-b`);
    return admin.watch(`${path}&watch=true&resourceVersion=${version}`, 2);
  }),
  selecting('watch-initial-events', async ({ admin }, path) =>
    admin.watch(`${path}&watch=true&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan`, 4),
  ),
  selecting('watch-one', async ({ admin, name }) => {
    const path = `${collection}?watch=true&fieldSelector=metadata.name%3D${name}-b`;
    return admin.watch(path, 2, () => admin.ask('DELETE', `${collection}/${name}-b`));
  }),
  selecting('watch-time-out', async ({ admin }, path) => admin.watch(`${path}&watch=true&timeoutSeconds=1`, 10)),
];
