import type { OnProgress } from '../operations/progress.ts';
import { progressLine } from '../report/progress.ts';
import type { Terminal } from './terminal.ts';

/** Shows each step and its progress on a terminal. */
export const progressOn =
  (terminal: Terminal): OnProgress =>
  (progress) =>
    terminal.progress(progressLine(progress));
