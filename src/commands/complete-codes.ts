import { type Code, catalog, generalEntry } from '../diagnosis/catalog.ts';
import type { Candidate } from './complete-names.ts';

/** The finding codes, with their titles. */
export const findingCodes = (): Candidate[] =>
  (Object.keys(catalog) as Code[]).map((value) => ({ value, description: generalEntry(value).title }));
