import type { ChalkInstance } from 'chalk';
import type { ApiDiagnosis, Verdict } from '../diagnosis/types.ts';
import type { Source } from '../snapshot/types.ts';

/** A verdict as one character; the colour only repeats it. */
export const mark = (verdict: Verdict, { green, red, yellow }: ChalkInstance): string =>
  ({ healthy: green('✓'), broken: red('✗'), unknown: yellow('?') })[verdict];

/** Codes of an API's findings, without those of the symptoms. */
export const codesOf = ({ findings }: ApiDiagnosis): string[] => findings.map(({ code }) => code);

/** What stands for what could not be looked at, where there is no room for it: `(3 not checked)`. */
export const notCheckedCount = ({ notChecked }: ApiDiagnosis): string[] =>
  notChecked.length > 0 ? [`(${notChecked.length} not checked)`] : [];

/** `12 APIs: 10 healthy, 1 broken, 1 unknown`. Files can't prove that anything works, only that nothing in them is wrong. */
export function countLine(apis: readonly ApiDiagnosis[], { kind }: Source): string {
  const counts = (['healthy', 'broken', 'unknown'] as const).flatMap((verdict) => {
    const count = apis.filter((api) => api.verdict === verdict).length;
    return count > 0 ? [`${count} ${verdict === 'healthy' && kind === 'files' ? 'in order' : verdict}`] : [];
  });
  return `${apis.length} ${apis.length === 1 ? 'API' : 'APIs'}: ${counts.join(', ')}`;
}
