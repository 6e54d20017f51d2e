import type { Document } from 'yaml';
import { editableYaml, yamlText } from '../config/yaml.ts';
import type { KubeObject, Manifest } from './types.ts';

/** Edits by dotted path in the template (list items by index), with plain JSON values. */
export type Edits = Readonly<Record<string, unknown>>;

/**
 * An empty value is left out. kube-apiserver drops empty fields, so server-side apply would differ
 * on every run.
 */
const isEmpty = (value: unknown): boolean =>
  value === undefined || value === null || (typeof value === 'object' && Object.keys(value).length === 0);

function put(document: Document, path: string, value: unknown): void {
  const keys = path.split('.');
  if (isEmpty(value)) document.deleteIn(keys);
  // No anchors: equal parts of the configuration are written twice.
  else document.setIn(keys, typeof value === 'object' ? document.createNode(value, { aliasDuplicateObjects: false }) : value);
}

/** Reads the plain JSON of a template at a dotted path, for the defaults in the templates. */
export function templateDefault(template: string, path: string): Record<string, unknown> {
  let value: unknown = editableYaml(template).toJS();
  for (const key of path.split('.')) value = (value as Record<string, unknown>)[key];
  return value as Record<string, unknown>;
}

/**
 * Applies edits to a template. Each edit replaces the value at its path, or removes it when the new
 * value is undefined, null or empty. Other comments are kept.
 */
export function fillTemplate(template: string, fileName: string, edits: Edits): Manifest {
  const document = editableYaml(template);
  for (const [path, value] of Object.entries(edits)) put(document, path, value);
  return { object: document.toJS() as KubeObject, text: yamlText(document), fileName };
}
