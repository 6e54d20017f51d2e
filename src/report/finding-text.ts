import { counted } from '../config/counted.ts';
import { locationText } from '../diagnosis/locations.ts';
import type { Finding } from '../diagnosis/types.ts';

/**
 * A finding as lines of plain text, for formats without structure: evidence, cause, fix, symptoms.
 */
export const findingText = ({ evidence, cause, fix, explains, locations = [] }: Finding): readonly string[] => [
  ...(locations.length > 0 ? [`at: ${locations.map(locationText).join(', ')}`] : []),
  ...evidence.map((line) => `seen: ${line}`),
  `cause: ${cause}`,
  `fix: ${fix}`,
  ...explains.map(({ code, title }) => `explains: ${code}: ${title}`),
];

/**
 * A finding with its number among those of its code. Both identify it across runs; titles contain
 * dates.
 */
export interface NumberedFinding {
  readonly finding: Finding;
  /** From 1. */
  readonly number: number;
}

/** Numbers the findings of an API within each code. */
export const numberFindings = (findings: readonly Finding[]): readonly NumberedFinding[] =>
  findings.map((finding, at) => ({ finding, number: findings.slice(0, at + 1).filter(({ code }) => code === finding.code).length }));

/** `1 error, 2 warnings`; empty without findings. */
export const findingCounts = (findings: readonly Finding[]): string =>
  (['error', 'warning'] as const)
    .map((severity) => [severity, findings.filter((finding) => finding.severity === severity).length] as const)
    .filter(([, count]) => count > 0)
    .map(([severity, count]) => counted(count, severity))
    .join(', ');
