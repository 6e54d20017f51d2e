import type { Step } from '../runner.ts';

interface Promoting {
  readonly id: 'promote' | 'discard';
  readonly title: string;
  readonly isDone: () => boolean;
  readonly run: () => void;
}

/** Makes the pending certificates of the project current, or removes them. */
export const promoteStep = ({ id, title, isDone, run }: Promoting): Step => ({
  id,
  title,
  needs: () => [],
  observe: async () => ({ state: isDone() ? 'done' : 'pending' }),
  run: async () => run(),
});
