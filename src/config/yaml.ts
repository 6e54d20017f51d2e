import { type Document, parseDocument } from 'yaml';

/**
 * Reads YAML that is to be edited and written again with its comments. Reading follows YAML 1.2; strings that a YAML 1.1 reader
 * (kubectl, kustomize, most linters) would take for something else, such as `on` or `010`, are quoted on writing.
 */
export const editableYaml = (text: string): Document => parseDocument(text, { compat: 'yaml-1.1' });

/** The text of a document made by `editableYaml`: comments kept, no line ever folded. */
export const yamlText = (document: Document): string => document.toString({ lineWidth: 0, flowCollectionPadding: false });
