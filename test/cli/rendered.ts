import { parseAllDocuments } from 'yaml';

/** The manifests that render prints. */

// biome-ignore lint/suspicious/noExplicitAny: manifests.
export const objects = (text: string): any[] => parseAllDocuments(text).map((document) => document.toJS());
export const withSecret = ['render', '--secrets', 'include'];
export const kinds = (text: string): string[] => objects(text).map(({ kind }) => kind);
