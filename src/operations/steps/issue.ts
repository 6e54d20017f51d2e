import type { Step } from '../runner.ts';

interface Issuing {
  /** Whether the set is in certs/next already. */
  readonly isWritten: () => boolean;
  readonly write: () => void;
  readonly title: string;
}

/** Writes the next certificates into the project, before anything in the cluster changes. */
export const issueStep = ({ isWritten, write, title }: Issuing): Step => ({
  id: 'issue',
  title,
  needs: () => [],
  observe: async () => ({ state: isWritten() ? 'done' : 'pending' }),
  run: async () => write(),
});
