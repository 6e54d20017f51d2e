/** A line of a log, without its end. */
export interface LogLine {
  readonly time: Date;
  readonly text: string;
}

/** A kubelet keeps the last files of 10 MiB each (containerLogMaxSize, containerLogMaxFiles); here it is lines. */
const linesKept = 20_000;

/** What one run of a container has said. */
export interface ContainerLog {
  readonly lines: readonly LogLine[];
  readonly closed: boolean;
  /** Takes text as it comes; a line counts when it has ended. */
  write(text: string): void;
  /** After the end of the run. Makes a line of what has no end. */
  close(): void;
  /** Told of every line from now on, and of the end. @returns ends it */
  follow(listener: (line: LogLine | undefined) => void): () => void;
}

/** @param onLine told of every line */
export function createLog(now: () => Date, onLine: (text: string) => void): ContainerLog {
  const lines: LogLine[] = [];
  const listeners = new Set<(line: LogLine | undefined) => void>();
  let begun = '';
  let closed = false;
  const add = (text: string): void => {
    const line = { time: now(), text };
    lines.push(line);
    if (lines.length > linesKept) lines.shift();
    onLine(text);
    for (const listener of listeners) listener(line);
  };
  return {
    lines,
    get closed() {
      return closed;
    },
    write: (text) => {
      const parts = (begun + text).split('\n');
      begun = parts.pop() ?? '';
      for (const part of parts) add(part);
    },
    close: () => {
      if (closed) return;
      if (begun !== '') add(begun);
      begun = '';
      closed = true;
      for (const listener of listeners) listener(undefined);
    },
    follow: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
