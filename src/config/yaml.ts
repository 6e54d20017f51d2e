import { type Document, parseDocument } from 'yaml';

/**
 * Parses YAML 1.2 to edit it and write it again with its comments. On writing, strings that a YAML
 * 1.1 reader (kubectl, kustomize, most linters) takes for another type, such as `on` or `010`, are
 * quoted.
 */
export const editableYaml = (text: string): Document => parseDocument(text, { compat: 'yaml-1.1' });

/**
 * Why YAML cannot be parsed. After a colon, the library quotes the file, which may hold a secret.
 */
export const yamlReason = ({ message }: Error): string => message.replace(/: .*$/s, '');

/** The text of a document of `editableYaml`, with its comments and without folded lines. */
export const yamlText = (document: Document): string => document.toString({ lineWidth: 0, flowCollectionPadding: false });
