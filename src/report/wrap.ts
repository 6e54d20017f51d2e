/** Wraps text between words. A word longer than `columns` gets its own line. */
export function wrap(text: string, columns: number): string {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? '';
    if (line === '') lines[lines.length - 1] = word;
    else if (line.length + 1 + word.length <= columns) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines.join('\n');
}

/** A Markdown list item of at most 100 columns, with continuation lines indented. */
export const markdownItem = (text: string): string => wrap(`- ${text}`, 98).replaceAll('\n', '\n  ');
