/** What `-o` takes. The first is the default. */
export const verifyFormats = ['text', 'wide', 'short', 'json', 'yaml', 'junit', 'sarif', 'github', 'html'] as const;
export type DiagnosisFormat = (typeof verifyFormats)[number];

/** Files have neither endpoints nor conditions to show in the columns of `wide`. */
export const lintFormats = [
  'text',
  'short',
  'json',
  'yaml',
  'junit',
  'sarif',
  'github',
  'html',
] as const satisfies readonly DiagnosisFormat[];
export type LintFormat = (typeof lintFormats)[number];

/** What shows several clusters side by side; the others describe one. */
export const listFormats = ['text', 'wide', 'short', 'json', 'yaml'] as const satisfies readonly DiagnosisFormat[];
export type ListFormat = (typeof listFormats)[number];

export const isListFormat = (format: DiagnosisFormat): format is ListFormat => (listFormats as readonly string[]).includes(format);
