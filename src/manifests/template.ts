import type { Document } from 'yaml';
import { editableYaml, yamlText } from '../config/yaml.ts';
import type { KubeObject, Manifest } from './types.ts';

/** What to write where: a dotted path in the template (list items by index) and plain JSON. */
export type Edits = Readonly<Record<string, unknown>>;

/** Nothing to say: server-side apply would otherwise own an empty field that kube-apiserver drops, and differ on every run. */
const isEmpty = (value: unknown): boolean =>
  value === undefined || value === null || (typeof value === 'object' && Object.keys(value).length === 0);

function put(document: Document, path: string, value: unknown): void {
  const keys = path.split('.');
  if (isEmpty(value)) document.deleteIn(keys);
  // No anchors: two equal pieces of the configuration are two pieces in the manifest.
  else document.setIn(keys, typeof value === 'object' ? document.createNode(value, { aliasDuplicateObjects: false }) : value);
}

/** The plain JSON of a template at a dotted path; the defaults that the templates show are read with it. */
export function templateDefault(template: string, path: string): Record<string, unknown> {
  let value: unknown = editableYaml(template).toJS();
  for (const key of path.split('.')) value = (value as Record<string, unknown>)[key];
  return value as Record<string, unknown>;
}

/**
 * Fills in a template: each edit replaces what stands at its path, or removes it when the value is undefined, null or empty.
 * Comments beside what stays are kept.
 */
export function fillTemplate(template: string, fileName: string, edits: Edits): Manifest {
  const document = editableYaml(template);
  for (const [path, value] of Object.entries(edits)) put(document, path, value);
  return { object: document.toJS() as KubeObject, text: yamlText(document), fileName };
}
