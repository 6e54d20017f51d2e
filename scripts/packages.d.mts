/** Kinds of tests; those on a node need what is needed for a cluster without one as well. */
export type Use = 'unit' | 'cluster' | 'node';

export interface Missing {
  readonly programs: readonly string[];
  /** Of Debian, each once. */
  readonly packages: readonly string[];
}

/** Where Debian installs the plugins that connect pods to a network. */
export const cniFolder: string;
/** What these tests run and this machine has not; `path` as PATH. */
export function missingPackages(wanted: readonly Use[], path?: string): Missing;
