/** A part of a fix: a command to copy, or words. */
export interface FixPart {
  readonly kind: 'command' | 'words';
  readonly text: string;
}

/** Has an option and no comma, so it is a command and not a sentence that begins with the name of one. */
const command = /^(apisvc|kubectl)( [^,]*)? -[^,]*[^.,]$/;

/** The parts of a fix, which semicolons divide: `kubectl -n a describe pod b; then correct the image` is a command and what to do after it. */
export function fixParts(fix: string): readonly FixPart[] {
  const parts: FixPart[] = [];
  for (const text of fix.split('; ')) {
    const last = parts.at(-1);
    if (command.test(text)) parts.push({ kind: 'command', text });
    else if (last?.kind === 'words') parts[parts.length - 1] = { kind: 'words', text: `${last.text}; ${text}` };
    else parts.push({ kind: 'words', text });
  }
  return parts;
}
