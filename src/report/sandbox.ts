import { printable } from '../pki/printable.ts';

/** What happens on the node of a sandbox. */
type NodeEvent =
  | { readonly kind: 'started'; readonly container: string; readonly port: number | undefined }
  | { readonly kind: 'ready'; readonly container: string }
  | { readonly kind: 'ended'; readonly container: string; readonly exitCode: number; readonly againInMs: number }
  | { readonly kind: 'log'; readonly container: string; readonly line: string }
  | { readonly kind: 'problem'; readonly message: string };

/**
 * One line for an event of a sandbox. Names and messages are escaped, because they may come from
 * anywhere.
 */
export const nodeLine = (event: NodeEvent): string => line(event).split('\t').map(printable).join('\t');

function line(event: NodeEvent): string {
  switch (event.kind) {
    case 'started':
      return `${event.container} | started${event.port === undefined ? '' : `, port ${event.port}`}`;
    case 'ready':
      return `${event.container} | ready`;
    case 'ended':
      return `${event.container} | exited with code ${event.exitCode}; the sandbox restarts it in ${event.againInMs / 1000}s`;
    case 'log':
      return `${event.container} | ${event.line}`;
    case 'problem':
      return `sandbox: ${event.message}`;
  }
}
