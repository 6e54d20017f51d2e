import { printable } from '../pki/printable.ts';
import type { NodeEvent } from '../sandbox/node/types.ts';

/** One line for what happens in a sandbox; names and words in it may come from anywhere. */
export const nodeLine = (event: NodeEvent): string => line(event).split('\t').map(printable).join('\t');

function line(event: NodeEvent): string {
  switch (event.kind) {
    case 'started':
      return `${event.container} | started${event.port === undefined ? '' : `, for port ${event.port}`}`;
    case 'ready':
      return `${event.container} | ready`;
    case 'ended':
      return `${event.container} | ended with exit code ${event.exitCode}; starts again in ${event.againInMs / 1000}s`;
    case 'log':
      return `${event.container} | ${event.line}`;
    case 'trouble':
      return `sandbox: ${event.words}`;
  }
}
