/**
 * A kind of tests. Tests with a node, or of the distribution, also need the packages of `cluster`.
 */
export type Use = 'unit' | 'cluster' | 'distribution' | 'node';

export interface Missing {
  readonly programs: readonly string[];
  /** Names of Debian packages, without duplicates. */
  readonly packages: readonly string[];
}

/** The folder where Debian installs CNI plugins. */
export const cniFolder: string;
/**
 * Finds the programs that these tests need and that are not installed.
 * @param path - overrides PATH
 */
export function missingPackages(wanted: readonly Use[], path?: string): Missing;
