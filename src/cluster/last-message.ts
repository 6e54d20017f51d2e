/**
 * A line of the stack trace that a Go program prints below its last message (runtime/panic.go,
 * runtime/traceback.go; k8s.io/klog/v2, Fatal).
 */
const stackLine = /^(\t|goroutine \d+ |created by |\[signal |\[originating from |\.\.\.|[\w./*()[\]{}·-]+\(.*\)$)/;

/**
 * The most informative line of the end of a log: the last one, or the one above a stack trace.
 * @param lines none of them empty
 */
export const lastMessageLine = (lines: readonly string[]): string => lines.findLast((line) => !stackLine.test(line)) ?? lines.at(-1) ?? '';
