import { parseArgs } from 'node:util';
import type { Api } from '../../config/schema.ts';
import { UsageError } from '../../errors.ts';

export type GroupVersion = Pick<Api, 'group' | 'version'>;

/** The flags have the names of k8s.io/apiserver (pkg/server/options/serving.go). */
export interface Flags {
  readonly api: GroupVersion;
  readonly securePort: number;
  /** Undefined with --cert-dir: the server makes a self-signed certificate. */
  readonly files: ServingFiles | undefined;
}

/** Paths of PEM files. */
export interface ServingFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

const options = {
  api: { type: 'string', default: 'demo.apisvc.dev/v1alpha1' },
  'secure-port': { type: 'string', default: '443' },
  'cert-dir': { type: 'string' },
  'tls-cert-file': { type: 'string' },
  'tls-private-key-file': { type: 'string' },
} as const;

/**
 * Reads the arguments of the container.
 * @throws UsageError for an unknown, missing or malformed flag
 */
export function readFlags(args: readonly string[]): Flags {
  const values = parse(args);
  const [, group, version] = /^([^/]+)\/([^/]+)$/.exec(values.api) ?? [];
  if (group === undefined || version === undefined) throw new UsageError(`invalid --api "${values.api}": must be GROUP/VERSION`);
  const securePort = Number(values['secure-port']);
  if (!Number.isInteger(securePort) || securePort < 1 || securePort > 65_535) {
    throw new UsageError(`invalid --secure-port "${values['secure-port']}": must be a port number`);
  }
  const certFile = values['tls-cert-file'];
  const keyFile = values['tls-private-key-file'];
  const files = certFile === undefined || keyFile === undefined ? undefined : { certFile, keyFile };
  if (!files && values['cert-dir'] === undefined) {
    throw new UsageError('required flags "--tls-cert-file" and "--tls-private-key-file" not set');
  }
  return { api: { group, version }, securePort, files };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (cause) {
    throw new UsageError((cause as Error).message, { cause });
  }
}
