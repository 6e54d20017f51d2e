/**
 * The exit codes of every command, the same for every `-o`.
 * 70 is EX_SOFTWARE of sysexits.h. timeout(1) uses 124. 130 and 143 are 128 + SIGINT and SIGTERM.
 */
export const Exit = {
  ok: 0,
  findings: 1,
  usage: 2,
  unreachable: 3,
  internal: 70,
  deadline: 124,
  interrupted: 130,
  terminated: 143,
} as const;

export type ExitCode = (typeof Exit)[keyof typeof Exit];

/** What each exit code means, for `--help` and README.md. */
export const exitMeanings: Readonly<Record<ExitCode, string>> = {
  [Exit.ok]: 'Success: the change is done, or the APIs are healthy',
  [Exit.findings]: 'Findings, drift or a refused change',
  [Exit.usage]: 'Wrong usage or configuration',
  [Exit.unreachable]: 'The cluster is not reachable, or access is denied',
  [Exit.internal]: 'Internal failure, such as a full disk or a bug in apisvc',
  [Exit.deadline]: 'The time limit (--timeout) was exceeded',
  [Exit.interrupted]: 'Interrupted by SIGINT',
  [Exit.terminated]: 'Terminated by SIGTERM or SIGHUP',
};

/** What an error may carry besides its message. */
export interface ErrorDetails {
  /** One sentence, or a command, that solves the problem. */
  readonly fix?: string;
  /** The original error; its stack trace is shown with -v. */
  readonly cause?: unknown;
}

/**
 * An error that is shown to the user. `message` is one line: what failed, and why.
 * Any other error that reaches `main` is a bug in apisvc.
 */
export class ApisvcError extends Error {
  /** Commands in it get the flags that select the cluster, where the error is caught. */
  fix: string | undefined;

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

/** Wrong flags, an invalid configuration, or files that cannot be used. Nothing was attempted. */
export class UsageError extends ApisvcError {
  constructor(message: string, details?: ErrorDetails) {
    super(message, Exit.usage, details);
  }
}

/** The machine fails, for example because its disk is full. The usage is not wrong. */
export class MachineError extends ApisvcError {
  constructor(message: string, details?: ErrorDetails) {
    super(message, Exit.internal, details);
  }
}

/** A change that apisvc refuses: a conflict, a takeover, an overwrite. */
export class RefusedError extends ApisvcError {
  constructor(message: string, details?: ErrorDetails) {
    super(message, Exit.findings, details);
  }
}

/** The cluster is not reachable, or it denies a request. */
export class ClusterError extends ApisvcError {
  constructor(message: string, details?: ErrorDetails) {
    super(message, Exit.unreachable, details);
  }
}

/** The deadline passed before the command had a result. */
export class DeadlineError extends ApisvcError {
  constructor(message: string, details?: ErrorDetails) {
    super(message, Exit.deadline, details);
  }
}

/** SIGINT, SIGTERM or SIGHUP, after cleaning up. */
export class InterruptedError extends ApisvcError {
  constructor(
    readonly signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP',
    details?: ErrorDetails,
  ) {
    super(signal === 'SIGINT' ? 'interrupted' : 'terminated', signal === 'SIGINT' ? Exit.interrupted : Exit.terminated, details);
  }
}
