import { splitRule } from '../diagnosis/not-checked.ts';
import type { NotChecked } from '../diagnosis/types.ts';

/**
 * What was not checked, for people: what lacks the same RBAC rule, or has the same reason, is one
 * entry with the first reason.
 */
export function byReason(notChecked: readonly NotChecked[]): readonly NotChecked[] {
  const same = new Map<string, NotChecked>();
  for (const { what, why } of notChecked) {
    const key = splitRule(why).rule ?? why;
    const earlier = same.get(key);
    same.set(key, earlier === undefined ? { what, why } : { ...earlier, what: `${earlier.what}, ${what}` });
  }
  return [...same.values()];
}
