import { printable } from './printable.ts';

/** Text that is HTML or XML already, in contrast to a string, which is text from anywhere. */
export interface Markup {
  readonly markup: string;
}

type Content = string | number | Markup | readonly Content[];

/** Lone surrogates and the two noncharacters of the plane: no XML document may hold them (XML 1.0, 2.2), and no UTF-8 the former. */
const unwritable = /[\p{Surrogate}\ufffe\uffff]/gu;

const references: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Text that any document can hold: control characters, most of which XML forbids, become visible escapes, and what can't be encoded is replaced. */
export const encodable = (text: string): string => printable(text).replace(unwritable, '\ufffd');

/** Text as HTML and XML take it, in content and in quoted attributes. */
export const escaped = (text: string): string => encodable(text).replace(/[&<>"']/g, (character) => references[character] ?? '');

/** A template of HTML or XML: strings that are put into it are escaped, markup and lists of it are not. */
export const markup = (parts: TemplateStringsArray, ...contents: readonly Content[]): Markup => ({
  markup: parts.map((part, at) => part + written(contents[at] ?? '')).join(''),
});

function written(content: Content): string {
  if (typeof content === 'string') return escaped(content);
  if (typeof content === 'number') return String(content);
  return 'markup' in content ? content.markup : content.map(written).join('');
}

/** Lines of text, each escaped by itself: the line ends between them stay. */
export const lines = (texts: readonly string[]): Markup => ({ markup: texts.map(escaped).join('\n') });
