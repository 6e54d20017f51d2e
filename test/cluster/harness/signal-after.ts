import { join } from 'node:path';

/**
 * Variables that make apisvc send itself a signal as soon as it prints this. It cannot go on before
 * the signal arrives, as it could if the test sent it.
 */
export const signalAfter = (printed: RegExp, by: NodeJS.Signals) => ({
  NODE_OPTIONS: `--import=${join(import.meta.dirname, 'killed-after.mjs')}`,
  KILLED_AFTER: printed.source,
  KILLED_BY: by,
});
