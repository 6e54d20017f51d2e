const dayMs = 86_400_000;

/** Days from one time to another, rounded. Negative if `to` is before `from`. */
export const daysBetween = (from: Date, to: Date): number => Math.round((to.getTime() - from.getTime()) / dayMs);
