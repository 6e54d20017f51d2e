export interface LoadCommand {
  readonly command: number;
  /** Where it is in the file. */
  readonly offset: number;
  readonly bytes: number;
}
export function loadCommandsOf(program: Buffer): LoadCommand[];
/** The name of the segment that a command loads; undefined for other commands. */
export function segmentName(program: Buffer, command: LoadCommand): string | undefined;
export function signed(program: Buffer, identifier: string, flags?: number): Buffer;
