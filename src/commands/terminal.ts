import type { ChalkInstance } from 'chalk';
import type { Holder } from '../cluster/rotation-lease.ts';
import type { Trace } from '../cluster/trace.ts';

/** A prompt, and the flag that answers it. */
export interface Question {
  readonly message: string;
  /** One line: why the answer matters. */
  readonly why?: string;
  /** Text above the question; it stays on the screen. */
  readonly before?: string;
  /** The flag with a placeholder for its value: `--image IMAGE`. */
  readonly flag: string;
  readonly choices?: readonly Choice[];
  /** The answer if the user only presses Enter. */
  readonly initial?: string;
  /** Validates an answer while it is typed. @returns the error message, or undefined */
  readonly fault?: (answer: string) => string | undefined;
  /** The answer is not shown. */
  readonly secret?: boolean;
}

export interface Choice {
  readonly value: string;
  /** Shown below the list while this choice is highlighted. */
  readonly description: string;
}

/** A command's only access to the process it runs in. */
export interface Terminal {
  readonly env: NodeJS.ProcessEnv;
  /** This process, as the holder of a Lease. */
  readonly holder: Holder;
  /** Aborted by Ctrl-C or SIGTERM, with an InterruptedError as its reason. */
  readonly interrupt: AbortSignal;
  /** Node opens it on the first call. */
  stdin(): NodeJS.ReadableStream;
  readonly outColors: ChalkInstance;
  /** Colors for stderr. */
  readonly errorColors: ChalkInstance;
  /** The width of the terminal; 80 without one. */
  readonly columns: number;
  /**
   * Writes the result to stdout. A closed pipe is no error.
   * @throws UsageError if it cannot be written; MachineError for a full disk
   */
  result(text: string): Promise<void>;
  /** Writes a result that replaces the one before: on a terminal, the screen is cleared first. */
  redraw(text: string): Promise<void>;
  /** Whether stdout is a closed pipe, so that further results are useless. */
  readerGone(): boolean;
  /** Whether -q is set. */
  readonly quiet: boolean;
  /** Writes a line about a request to stderr, if -v is set. */
  readonly trace: Trace | undefined;
  /** Writes a line of progress to stderr, unless -q is set. */
  progress(line: string): void;
  /** Shows a status line on a terminal. The next one replaces it; any output, or '', removes it. */
  status(line: string): void;
  /** Whether prompts are possible. */
  readonly interactive: boolean;
  /**
   * Prompts.
   * @throws UsageError with the flag if prompts are not possible; InterruptedError on Ctrl-C
   */
  ask(question: Question): Promise<string>;
}
