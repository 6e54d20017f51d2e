/** The kubelet limits a log to files of 10 MiB (containerLogMaxSize); here the limit is lines. */
const maxLines = 20_000;

/** The output of one run of a container. */
export interface ContainerLog {
  /** Without line ends. */
  readonly lines: readonly string[];
  readonly closed: boolean;
  /** Appends text; a line counts once it has ended. */
  write(text: string): void;
  /** Ends the last line, and the log. */
  close(): void;
  /** Calls the listener for each new line, and with undefined at the end. @returns stops that */
  follow(listener: (line: string | undefined) => void): () => void;
}

/** @param onLine is called for every line */
export function createLog(onLine: (line: string) => void): ContainerLog {
  const lines: string[] = [];
  const listeners = new Set<(line: string | undefined) => void>();
  let rest = '';
  let closed = false;
  const add = (line: string): void => {
    lines.push(line);
    if (lines.length > maxLines) lines.shift();
    onLine(line);
    for (const listener of listeners) listener(line);
  };
  return {
    lines,
    get closed() {
      return closed;
    },
    write: (text) => {
      const parts = (rest + text).split('\n');
      rest = parts.pop() ?? '';
      for (const part of parts) add(part);
    },
    close: () => {
      if (closed) return;
      if (rest !== '') add(rest);
      closed = true;
      for (const listener of listeners) listener(undefined);
    },
    follow: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
