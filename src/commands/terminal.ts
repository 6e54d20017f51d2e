import type { ChalkInstance } from 'chalk';

/** What a prompt asks for, and the flag that answers it. */
export interface Question {
  readonly message: string;
  /** One line: what depends on the answer. */
  readonly why?: string;
  /** What there is to read first; it stays on the screen above the question. */
  readonly before?: string;
  /** Named in the error when nobody is there to ask. */
  readonly flag: string;
  readonly choices?: readonly Choice[];
  /** The answer when only Enter is pressed. */
  readonly initial?: string;
  /** Says what is wrong with an answer, while it is typed; undefined when it will do. */
  readonly fault?: (answer: string) => string | undefined;
  /** Typed without being shown. */
  readonly secret?: boolean;
}

export interface Choice {
  readonly value: string;
  /** Shown beneath the list while it stands on this one. */
  readonly description: string;
}

/** All that a command knows of the process it runs in. */
export interface Terminal {
  readonly env: NodeJS.ProcessEnv;
  /** Aborted by Ctrl-C or SIGTERM, with an InterruptedError as its reason. */
  readonly interrupt: AbortSignal;
  readonly stdin: NodeJS.ReadableStream;
  /** Whether a person reads stdout directly. */
  readonly stdoutIsTerminal: boolean;
  readonly outColors: ChalkInstance;
  /** Colours for what goes to stderr. */
  readonly errorColors: ChalkInstance;
  /** How wide the terminal is; 80 where there is none. */
  readonly columns: number;
  /** Writes to stdout: the result. Resolves when it is written. A reader that has gone away is no error. @throws UsageError when it can't be written */
  result(text: string): Promise<void>;
  /** The same instead of what was written before: a screen is cleared first; where nobody looks at a screen, it is added. */
  redraw(text: string): Promise<void>;
  /** Whether a result has found its reader gone: there is no use in going on. */
  readerGone(): boolean;
  /** Writes a line to stderr: progress, which -q silences. */
  progress(line: string): void;
  /** Shows on one line of stderr how far it has got; each takes the place of the one before, and anything else that is written, or an empty one, takes it away. Only where a person looks on. */
  status(line: string): void;
  /** Whether somebody is there to ask. */
  readonly interactive: boolean;
  /** Asks the person. @throws UsageError that names the flag when nobody is there; InterruptedError on Ctrl-C */
  ask(question: Question): Promise<string>;
}
