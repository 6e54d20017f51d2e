import { printable } from '../pki/printable.ts';

/** HTML or XML. A string, in contrast, is untrusted text. */
export interface Markup {
  readonly markup: string;
}

type Content = string | number | Markup | readonly Content[];

/** Lone surrogates and noncharacters: XML forbids them (XML 1.0, 2.2), and UTF-8 the surrogates. */
const unwritable = /[\p{Surrogate}\ufffe\uffff]/gu;

const references: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/**
 * Makes text safe for any document: escapes control characters, and replaces what cannot be
 * encoded.
 */
export const encodable = (text: string): string => printable(text).replace(unwritable, '\ufffd');

/** Escapes text for HTML and XML, in content and in quoted attributes. */
export const escaped = (text: string): string => encodable(text).replace(/[&<>"']/g, (character) => references[character] ?? '');

/** A template of HTML or XML. Strings in it are escaped; Markup is not. */
export const markup = (parts: TemplateStringsArray, ...contents: readonly Content[]): Markup => ({
  markup: parts.map((part, at) => part + render(contents[at] ?? '')).join(''),
});

function render(content: Content): string {
  if (typeof content === 'string') return escaped(content);
  if (typeof content === 'number') return String(content);
  return 'markup' in content ? content.markup : content.map(render).join('');
}

/** Escapes each line, and keeps the line ends between them. */
export const lines = (texts: readonly string[]): Markup => ({ markup: texts.map(escaped).join('\n') });
