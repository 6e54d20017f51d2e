import { type Code, catalog, generalWords } from '../diagnosis/catalog.ts';
import type { Candidate } from './known-names.ts';

/** The codes that `explain` knows, with what they say. */
export const codes = (): Candidate[] =>
  (Object.keys(catalog) as Code[]).map((value) => ({ value, description: generalWords(value).title }));
