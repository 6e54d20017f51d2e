/**
 * What every command's exit code means, the same for every `-o`.
 * 124 is what timeout(1) uses, 130 and 143 are 128 + SIGINT and SIGTERM.
 */
export const Exit = {
  ok: 0,
  verdict: 1,
  usage: 2,
  unreachable: 3,
  deadline: 124,
  interrupted: 130,
  terminated: 143,
} as const;

export type ExitCode = (typeof Exit)[keyof typeof Exit];

/** What an error may carry beside its one line: how to go on, and what it came from. */
export interface ErrorDetails {
  /** One sentence, or a command, that gets the person further. */
  readonly fix?: string;
  readonly cause?: unknown;
}

/**
 * A failure whose words are meant for the person at the terminal: `message` is one line that says what
 * happened and why. Anything else that reaches the top is a defect of apisvc.
 */
export class ApisvcError extends Error {
  readonly fix: string | undefined;

  constructor(
    message: string,
    readonly exitCode: ExitCode,
    { fix, cause }: ErrorDetails = {},
  ) {
    super(message, { cause });
    this.name = new.target.name;
    this.fix = fix;
  }
}

/** Wrong flags, wrong configuration, unusable files: nothing was attempted. */
export class UsageError extends ApisvcError {
  constructor(message: string, details?: ErrorDetails) {
    super(message, Exit.usage, details);
  }
}

/** Asked for, understood, and not done: a conflict, a takeover, an overwrite. */
export class RefusedError extends ApisvcError {
  constructor(message: string, details?: ErrorDetails) {
    super(message, Exit.verdict, details);
  }
}

/** The cluster can't be reached or doesn't allow it. */
export class ClusterError extends ApisvcError {
  constructor(message: string, details?: ErrorDetails) {
    super(message, Exit.unreachable, details);
  }
}

/** The deadline passed before there was a verdict. */
export class DeadlineError extends ApisvcError {
  constructor(message: string, details?: ErrorDetails) {
    super(message, Exit.deadline, details);
  }
}

/** Ctrl-C or a request to terminate, after cleaning up. */
export class InterruptedError extends ApisvcError {
  constructor(
    readonly signal: 'SIGINT' | 'SIGTERM',
    details?: ErrorDetails,
  ) {
    super(signal === 'SIGINT' ? 'interrupted' : 'terminated', signal === 'SIGINT' ? Exit.interrupted : Exit.terminated, details);
  }
}
