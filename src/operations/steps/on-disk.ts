import type { Step } from '../runner.ts';

interface OnDisk {
  readonly id: 'issue' | 'promote' | 'discard';
  readonly title: string;
  readonly isDone: () => boolean;
  readonly run: () => void;
}

/** Writes the pending certificates of a project, makes them current, or removes them. */
export const onDiskStep = ({ id, title, isDone, run }: OnDisk): Step => ({
  id,
  title,
  needs: () => [],
  observe: async () => ({ state: isDone() ? 'done' : 'pending' }),
  run: async () => run(),
});
