/** A command that ended with an error before it had a diagnosis. */
export interface FailedRun {
  /** `lint` */
  readonly command: string;
  readonly message: string;
  readonly fix?: string | undefined;
  /** ISO 8601 */
  readonly at: string;
}

/** The error as lines of plain text. */
export const failedRunText = ({ message, fix }: FailedRun): readonly string[] => [message, ...(fix === undefined ? [] : [`fix: ${fix}`])];
