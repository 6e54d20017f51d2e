import { findComponents } from '../../../scripts/components.mjs';

/** Paths of every program that the cluster tests run, by name. @throws Error that says how to get those that are missing */
export function requirePrograms(): Readonly<Record<string, string>> {
  const { programs, missing } = findComponents();
  if (missing.length === 0) return programs;
  throw new Error(`${missing.map(({ name }) => name).join(', ')} not found; build them with: node scripts/build-components.mjs`);
}

/** @throws Error when there is no such program */
export function program(programs: Readonly<Record<string, string>>, name: string): string {
  const path = programs[name];
  if (path === undefined) throw new Error(`${name} is not a component of the cluster tests`);
  return path;
}
