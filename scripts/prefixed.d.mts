import type { Readable } from 'node:stream';

/**
 * Writes each line of a stream as soon as it is complete, after the prefix `NAME | `.
 * @returns when the stream has ended
 */
export function writePrefixed(stream: Readable, name: string, write: (line: string) => unknown): Promise<void>;
