import { parseArgs } from 'node:util';
import type { Api } from '../../config/schema.ts';
import { UsageError } from '../../errors.ts';

/** What the server is started with; the flags are named as those of servers built on k8s.io/apiserver (its pkg/server/options/serving.go). */
export interface Flags {
  readonly api: Pick<Api, 'group' | 'version'>;
  readonly securePort: number;
  /** Paths of PEM files. */
  readonly certFile: string;
  readonly keyFile: string;
}

const options = {
  api: { type: 'string', default: 'demo.apisvc.dev/v1alpha1' },
  'secure-port': { type: 'string', default: '443' },
  'tls-cert-file': { type: 'string' },
  'tls-private-key-file': { type: 'string' },
} as const;

/** Reads the arguments of the container: `--flag=value` or `--flag value`. @throws UsageError for a flag that is unknown, missing or malformed */
export function readFlags(args: readonly string[]): Flags {
  const values = parse(args);
  const [, group, version] = /^([^/]+)\/([^/]+)$/.exec(values.api) ?? [];
  if (group === undefined || version === undefined) throw new UsageError(`--api must be GROUP/VERSION, not "${values.api}"`);
  const securePort = Number(values['secure-port']);
  if (!Number.isInteger(securePort) || securePort < 1 || securePort > 65_535) {
    throw new UsageError(`--secure-port must be a port, not "${values['secure-port']}"`);
  }
  const certFile = values['tls-cert-file'];
  const keyFile = values['tls-private-key-file'];
  if (certFile === undefined || keyFile === undefined) {
    throw new UsageError('--tls-cert-file and --tls-private-key-file are needed: this server makes no certificate for itself');
  }
  return { api: { group, version }, securePort, certFile, keyFile };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (cause) {
    throw new UsageError((cause as Error).message, { cause });
  }
}
