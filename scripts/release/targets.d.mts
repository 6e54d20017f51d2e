/** A platform of the executables. */
export interface Target {
  readonly name: string;
  /** As krew and Go call it. */
  readonly os: string;
  readonly arch: string;
  /** The npm package with the binary of Node.js. */
  readonly package: string;
  readonly version: string;
  /** Of the binary. */
  readonly sha256: string;
}
export const targets: readonly Target[];
