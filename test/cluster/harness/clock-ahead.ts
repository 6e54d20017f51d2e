import { join } from 'node:path';

/** Variables that set the clock of Node.js ahead, but not that of kube-apiserver. */
export const clockAhead = (ms: number) => ({
  NODE_OPTIONS: `--import=${join(import.meta.dirname, 'shifted-clock.mjs')}`,
  CLOCK_AHEAD_MS: String(ms),
});
