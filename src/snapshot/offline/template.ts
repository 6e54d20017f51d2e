/**
 * Placeholders that a tool has to fill in before kubectl can read a manifest, such as
 * `{{ .Values.caBundle }}`, `${CA_BUNDLE}` or `<base64-encoded CA>`.
 */

/** Actions of Go's text/template, as Helm charts have them. */
const action =
  /\{\{-|-\}\}|\{\{\s*(?:[.$]|\/\*|(?:if|else|end|range|with|include|template|define|block|default|required|tpl|toYaml|printf)\b)/;

/** Values and statements of ytt: `name: #@ data.values.name`, `#@ if data.values.enabled:`. */
const annotation = /^[ \t]*(?:- +)*[\w./-]+:[ \t]+#@[ \t]|^[ \t]*#@[ \t]*(?:load\(|(?:if|else|for|def|end)\b)/m;

/** Whether a text is the source of a Helm chart. */
export const isTemplate = (text: string): boolean => action.test(text);

/** Whether a text is the source of ytt, whose values are comments and so null for kubectl. */
export const isYttTemplate = (text: string): boolean => annotation.test(text);

/** The line of the first action, from 1. */
export const lineOfAction = (text: string): number => text.slice(0, Math.max(text.search(/\{\{|#@/), 0)).split('\n').length;

/** `key: {{name}}` or `- {{name}}`, which YAML reads as a map with a map as its key. */
const unquoted = /^(\s*(?:- +)*(?:[\w./-]+:[ \t]+)?)(\{\{[^{}]*\}\}.*)$/gm;

/** Quotes the values that start with a placeholder, so that the rest of the text can be read. */
export const quotePlaceholders = (text: string): string =>
  text.replace(unquoted, (_, before: string, value: string) => before + JSON.stringify(value.trimEnd()));

/** What tools and people put in the place of base64. None of it is base64. */
const placeholders: readonly RegExp[] = [
  /\{\{.*\}\}|\$\{[^}]*\}|\$\([^)]*\)/s,
  /^(?:\$\w+|<[^<>]*>|\[[^[\]]*\]|%[^%]+%|@\w+@|__\w+__)$/s,
  // `CA_BUNDLE`
  /^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+$/,
  // `LS0tLS1CRUdJTi...`, as documentation shortens a value.
  /\.\.\.|…/,
  /^(?:CABUNDLE|ca_bundle|REPLACE[-_A-Z]*|CHANGE[-_ ]?ME|TODO|xxx+)$/i,
];

/** Whether a value is still a placeholder. */
export const isPlaceholder = (value: string): boolean => placeholders.some((pattern) => pattern.test(value.trim()));
